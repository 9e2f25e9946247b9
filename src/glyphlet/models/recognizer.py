"""A recogniser: its parts in a row, with what reading needs to know about them.

    images N C H W -> [transform] -> backbone -> maps -> [pyramid] -> neck -> N T D -> head -> logits N S K

Transform and pyramid are optional (`name: none`). `build` is the only place that looks parts up by name.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.codec import Codec
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.head import Labels
from glyphlet.models.heads import HEADS
from glyphlet.models.necks import NECKS
from glyphlet.models.pyramids import PYRAMIDS
from glyphlet.models.transforms import TRANSFORMS
from glyphlet.models.widths import fit, resize
from glyphlet.registry import Registry
from glyphlet.spec import ModelSpec, PartSpec

LAYOUTS: dict[str, Registry] = {
    "transform": TRANSFORMS, "backbone": BACKBONES, "pyramid": PYRAMIDS, "neck": NECKS, "head": HEADS,
}  # fmt: skip
"""The registries, by the kind of part, in the order in which an image passes them."""
NONE = "none"


class Recognizer(nn.Module):
    """A model that reads lines.

    Attributes:
        spec: the parts that it was built from.
        geometry: the shape of image that it takes.
        codec: between texts and its classes.
        time_stride: input pixels of width for each time step.
    """

    def __init__(self, spec: ModelSpec, geometry: Geometry, parts: dict[str, Any]) -> None:
        super().__init__()
        self.spec = spec
        self.geometry = geometry
        self.transform = parts.get("transform")
        self.backbone = parts["backbone"]
        self.pyramid = parts.get("pyramid")
        self.neck = parts["neck"]
        self.head = parts["head"]
        self._column: int = (self.pyramid or self.backbone).strides[-1][1]
        self.time_stride: int = self._column // getattr(self.neck, "times", 1)

    @property
    def codec(self) -> Codec:
        """The codec of the head."""
        return self.head.codec

    def parts(self) -> dict[str, nn.Module]:
        """The parts that there are, by kind, in order."""
        return {kind: part for kind in LAYOUTS if (part := getattr(self, kind)) is not None}

    def forward(self, images_NCHW: torch.Tensor, labels: Labels | None = None) -> Any:
        """Images scaled by `image.scale` (N, C, H, W) to logits (N, S, K), S = `steps(W)`.

        With labels, which are for a guided head alone: what its loss needs.
        """
        x = self.features(images_NCHW)
        return self.head(x) if labels is None else self.head(x, labels)

    def features(self, images_NCHW: torch.Tensor) -> torch.Tensor:
        """Images to the sequence (N, T, D) before the head."""
        x = images_NCHW if self.transform is None else self.transform(images_NCHW)
        maps = self.backbone(x)
        return self.neck(maps if self.pyramid is None else self.pyramid(maps))

    def steps(self, padded_width: int) -> int:
        """The steps that a line of this padded width gets; a label must fit into them."""
        return self.head.steps(self.time_steps(padded_width))

    def time_steps(self, padded_width: int) -> int:
        """The steps of the sequence before the head."""
        count = padded_width // self._column
        for part in (self.backbone, self.neck):
            # Most parts keep to the stride; those that do not have a method of their own.
            count = part.steps(padded_width if part is self.backbone else count) if hasattr(part, "steps") else count
        return count


def build(spec: ModelSpec, geometry: Geometry, charset: Charset) -> Recognizer:
    """Build a recogniser from its parts.

    Raises:
        RecipeError: a part, an option or a layer under `widths` is unknown, or the parts or the widths do not fit each
            other or the geometry.

    >>> model = build(ModelSpec(), Geometry(channels=3), Charset.named("alphanumeric"))
    >>> tuple(model(torch.zeros(2, 3, 32, 128)).shape)
    (2, 32, 63)
    """
    parts: dict[str, Any] = {}

    def add(kind: str, *inputs: Any) -> Any:
        part: PartSpec = getattr(spec, kind)
        if part.name == NONE and kind in ("transform", "pyramid"):
            _refuse_options(kind, part.options)
            return None
        parts[kind] = LAYOUTS[kind].build(part.name, part.options, *inputs)
        return parts[kind]

    add("transform", geometry.channels, geometry.height)
    maps = add("backbone", geometry.channels)
    maps = add("pyramid", maps.channels, maps.strides) or maps
    _check_strides(spec, geometry, maps.strides[-1])
    # As `steps` for the width: a backbone whose rows are not height // stride says how many there are.
    rows = getattr(maps, "heights", lambda height: [height // stride for stride, _ in maps.strides])
    neck = add("neck", maps.channels, rows(geometry.height))
    _check_times(spec, maps.strides[-1][1], getattr(neck, "times", 1))
    add("head", neck.features, charset)
    model = Recognizer(spec, geometry, parts)
    _check_steps(model)
    if spec.widths:
        resize(model, spec.widths)
        fit(model)
    return model


def _refuse_options(kind: str, options: dict[str, Any]) -> None:
    if options:
        raise RecipeError(
            f"model.{kind} is none and has {', '.join(options)}",
            allowed=f"{{name: none}} alone, or one of: {', '.join(LAYOUTS[kind])}",
            next_step=f"name the {kind}, or remove its options",
        )


def _check_strides(spec: ModelSpec, geometry: Geometry, stride: tuple[int, int]) -> None:
    for name, size, step in zip(("height", "width_step"), (geometry.height, geometry.width_step), stride, strict=True):
        if size % step:
            raise RecipeError(
                f"image.{name} is {size}, but backbone {spec.backbone.name!r} takes {step} pixels to one",
                allowed=f"a multiple of {step}",
                next_step=f"set image.{name} to {-(-size // step) * step}",
            )


def _check_times(spec: ModelSpec, column: int, times: int) -> None:
    if column % times:
        raise RecipeError(
            f"neck {spec.neck.name!r} makes {times} steps of a column of {column} pixels",
            allowed=f"a divisor of {column}",
            next_step="set model.neck.times, or the stride of the backbone",
        )


def _check_steps(model: Recognizer) -> None:
    """CTC needs more steps where there is more to read; a head that starts from a vector needs one step."""
    wide = 64 * model.geometry.width_step
    if model.codec.kind == "ctc" and model.steps(wide) <= model.steps(model.geometry.width_step):
        raise RecipeError(
            f"head {model.spec.head.name!r} needs a sequence that grows with the line, and neck {model.spec.neck.name!r} "
            "gives one of fixed length",
            allowed=f"a head that writes step by step after {model.spec.neck.name!r}, or another neck before a CTC head",
            next_step="change model.head or model.neck; `glyphlet models` lists what there is",
        )
    if model.head.single and model.time_steps(wide) > 1:
        raise RecipeError(
            f"head {model.spec.head.name!r} writes from one vector a line, and neck {model.spec.neck.name!r} gives one "
            "for every time step, of which it would see the first alone",
            allowed="neck 'latent', or head 'attention', which looks at all steps",
            next_step="change model.neck or model.head; `glyphlet models` lists what there is",
        )
