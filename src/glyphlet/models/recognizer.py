"""A recogniser: backbone, neck and head in a row, with what reading needs to know about them.

    images N C H W -> backbone -> maps -> neck -> N T D -> head -> logits N T K

`build` is the only place that looks parts up by name.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from glyphlet.codec import CTCCodec
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.heads import HEADS
from glyphlet.models.necks import NECKS
from glyphlet.spec import ModelSpec

LAYOUTS = {"backbone": BACKBONES, "neck": NECKS, "head": HEADS}
"""The registries, by the kind of part."""


class Recognizer(nn.Module):
    """A model that reads lines.

    Attributes:
        spec: the parts that it was built from.
        geometry: the shape of image that it takes.
        codec: between texts and its classes.
        time_stride: input pixels of width for each time step.
    """

    def __init__(self, spec: ModelSpec, geometry: Geometry, backbone: Any, neck: Any, head: Any) -> None:
        super().__init__()
        self.spec = spec
        self.geometry = geometry
        self.time_stride: int = backbone.strides[-1][1]
        self.backbone = backbone
        self.neck = neck
        self.head = head

    @property
    def codec(self) -> CTCCodec:
        """The codec of the head."""
        return self.head.codec

    def forward(self, images_NCHW: torch.Tensor) -> torch.Tensor:
        """Images scaled by `image.scale` (N, C, H, W) to logits (N, T, K), T = W // time_stride."""
        return self.head(self.neck(self.backbone(images_NCHW)))

    def steps(self, padded_width: int) -> int:
        """The time steps that a line of this padded width gets."""
        return padded_width // self.time_stride


def build(spec: ModelSpec, geometry: Geometry, codec: CTCCodec) -> Recognizer:
    """Build a recogniser from its parts.

    Raises:
        RecipeError: a part or an option is unknown, or the parts do not fit the geometry.

    >>> from glyphlet.charset import Charset
    >>> model = build(ModelSpec(), Geometry(channels=3), CTCCodec(Charset.named("alphanumeric")))
    >>> tuple(model(torch.zeros(2, 3, 32, 128)).shape)
    (2, 32, 63)
    """
    if spec.transform.name != "none" or spec.transform.options:
        raise RecipeError(
            f"model.transform is {spec.transform.model_dump()}, and there is no such transform",
            allowed="{name: none}",
            next_step="remove model.transform from the recipe",
        )
    backbone = BACKBONES.build(spec.backbone.name, spec.backbone.options, geometry.channels)
    down, across = backbone.strides[-1]
    for name, size, stride in (("height", geometry.height, down), ("width_step", geometry.width_step, across)):
        if size % stride:
            raise RecipeError(
                f"image.{name} is {size}, but backbone {spec.backbone.name!r} takes {stride} pixels to one",
                allowed=f"a multiple of {stride}",
                next_step=f"set image.{name} to {-(-size // stride) * stride}",
            )
    heights = [geometry.height // stride for stride, _ in backbone.strides]
    neck = NECKS.build(spec.neck.name, spec.neck.options, backbone.channels, heights)
    head = HEADS.build(spec.head.name, spec.head.options, neck.features, codec)
    return Recognizer(spec, geometry, backbone, neck, head)
