"""The plain residual networks of photographs: every stride acts on both axes, 32 x 32 pixels to one.

Source: He et al. 2015 (arXiv 1512.03385), with the stride in the 3x3 convolution of a bottleneck as torchvision has it.
CRNNCrossEntropy-pytorch takes the features of a whole image from ResNet-50. Here the network ends with its map: to pool it
over the image is the work of a neck. So a step is 32 pixels wide, too coarse for CTC on most lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from glyphlet.models.backbones import BACKBONES
from glyphlet.models.backbones.resnet import GROWTH, STAGES, Body, Residual, basic_body, bottleneck_body
from glyphlet.models.layers.conv import conv_bn


class ImagenetResNet(nn.Module):
    """A 7x7 stem of stride 2, a max pool, and four stages."""

    def __init__(self, in_channels: int, body: Body, blocks: Sequence[int]) -> None:
        super().__init__()
        self.channels = [STAGES[-1] * GROWTH[body]]
        self.strides = [(32, 32)]
        self.stem = nn.Sequential(conv_bn(in_channels, 64, 7, stride=2, activation="relu"), nn.MaxPool2d(3, 2, 1))
        self.stages = nn.Sequential()
        inputs = 64
        for number, (channels, count) in enumerate(zip(STAGES, blocks, strict=True)):
            outputs = channels * GROWTH[body]
            stage = nn.Sequential()
            for first in [True] + [False] * (count - 1):
                stride = 2 if first and number else 1
                same = stride == 1 and inputs == outputs
                shortcut = nn.Identity() if same else conv_bn(inputs, outputs, 1, stride=stride)
                stage.append(Residual(body(inputs, channels, stride), shortcut))
                inputs = outputs
            self.stages.append(stage)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, H, W) to one map (N, channels, H / 32, W / 32)."""
        return [self.stages(self.stem(x))]


@BACKBONES.register
def resnet18_imagenet(in_channels: int) -> ImagenetResNet:
    """ResNet-18 as for photographs, 512 channels at stride (32, 32)."""
    return ImagenetResNet(in_channels, basic_body, (2, 2, 2, 2))


@BACKBONES.register
def resnet50_imagenet(in_channels: int) -> ImagenetResNet:
    """ResNet-50 as for photographs, 2,048 channels at stride (32, 32)."""
    return ImagenetResNet(in_channels, bottleneck_body, (3, 4, 6, 3))
