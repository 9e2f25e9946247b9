"""The seven convolutions of CRNN: a narrow VGG whose later poolings halve the rows and keep the columns.

Source: CRNN (Shi, Bai and Yao 2015, arXiv 1507.05717), with the layer sizes, the leaky ReLU and the first weights of
meijieru/crnn.pytorch, which the Chinese CRNNs share. For a line of 32 x W:

    32 x W   conv 64, pool    ->  16 x W/2
             conv 128, pool   ->   8 x W/4
             conv 256 (norm), conv 256, pool (2, 1)  ->  4 x W/4 + 1     the pool pads a column on each side
             conv 512 (norm), conv 512, pool (2, 1)  ->  2 x W/4 + 2
             conv 512, 2 x 2 without padding (norm)  ->  1 x W/4 + 1

Read it in this order: `_LAYERS`, `VGG`, `vgg`.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.layers.norm import BatchNorm

_LAYERS = (
    # channels, kernel, padding, normalised, pooling after it
    (64, 3, 1, False, "both"),
    (128, 3, 1, False, "both"),
    (256, 3, 1, True, ""),
    (256, 3, 1, False, "rows"),
    (512, 3, 1, True, ""),
    (512, 3, 1, False, "rows"),
    (512, 2, 0, True, ""),
)


class VGG(nn.Module):
    """One map of 512 channels, H/16 - 1 rows and W/4 + 1 columns."""

    def __init__(self, in_channels: int, leaky: bool, published_init: bool) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (channels, kernel, padding, normalised, pooling) in enumerate(_LAYERS):
            layers[f"conv{number}"] = nn.Conv2d(in_channels, channels, kernel, 1, padding)
            if normalised:
                layers[f"norm{number}"] = BatchNorm(channels)
            layers[f"relu{number}"] = nn.LeakyReLU(0.2) if leaky else nn.ReLU()
            if pooling == "both":
                layers[f"pool{number}"] = nn.MaxPool2d(2, 2)
            elif pooling == "rows":
                layers[f"pool{number}"] = nn.MaxPool2d(2, (2, 1), (0, 1))
            in_channels = channels
        self.layers = nn.Sequential(layers)
        self.channels = [in_channels]
        self.strides = [(16, 4)]
        if published_init:
            self.apply(_published_init)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, H, W) to one map (N, 512, H/16 - 1, W/4 + 1)."""
        return [self.layers(x)]

    def steps(self, width: int) -> int:
        """The columns of the map for so many columns of the image."""
        return width // 4 + 1

    def heights(self, height: int) -> list[int]:
        """The rows of the map for so many rows of the image.

        Raises:
            RecipeError: nothing would be left of them.
        """
        if height < 32 or height % 16:
            raise RecipeError(
                f"image.height is {height}, but backbone 'vgg' halves the rows four times and then takes two to one",
                allowed="32, as published, or a larger multiple of 16 (its further rows are folded into the features)",
                next_step="set image.height to 32",
            )
        return [height // 16 - 1]


def _published_init(layer: nn.Module) -> None:
    """Convolutions from N(0, .02); normalisation from N(1, .02). Biases of convolutions stay as torch draws them."""
    if isinstance(layer, nn.Conv2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)


@BACKBONES.register
def vgg(in_channels: int, *, leaky: bool = False, published_init: bool = False) -> VGG:
    """CRNN's seven convolutions.

    Args:
        in_channels: 1 or 3; the source has 1.
        leaky: leaky ReLU of slope 0.2 instead of ReLU.
        published_init: the source's first weights, N(0, .02), instead of torch's.
    """
    return VGG(in_channels, leaky, published_init)
