"""A convolution with batch normalisation and an activation, and how its weights start.

He et al. 2015 (arXiv 1502.01852): a normal distribution with variance 2 / fan-in, which for a depthwise convolution is its
window alone. The normalisation starts as the identity. Layers without a normalisation after them keep PyTorch's start,
uniform within 1 / sqrt(fan-in).
"""

from __future__ import annotations

from torch import nn

from glyphlet.models.layers.activation import activation_layer
from glyphlet.models.layers.norm import BatchNorm

Stride = int | tuple[int, int]


def conv_bn(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    stride: Stride = 1,
    groups: int = 1,
    activation: str | None = None,
) -> nn.Sequential:
    """Convolution without bias, batch normalisation, and an activation if one is named.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        kernel: an odd number of rows and columns; the padding keeps the size at stride 1.
        stride: (down, across), or one number for both.
        groups: `inputs` for a depthwise convolution.
        activation: see `activation.ACTIVATIONS`.
    """
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    layers: list[nn.Module] = [conv, BatchNorm(outputs)]
    return nn.Sequential(*layers, *([activation_layer(activation, outputs)] if activation else []))
