"""Which networks there are to choose from: ladders, each of one family and depth, with rising widths.

The families are those that read best for their time and size in benchmarks/results/zoo.md: the glyph network and the micro network
with the neck `fold`. A recurrent neck starts slowly; one ladder has it, for searches that are long. `mobilenetv3_small` reads worse than
either at any size there. It is tried where it is asked for.

All have time steps of 4 pixels, so that lines that one can align all can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from glyphlet.errors import CompressionError
from glyphlet.image import Geometry
from glyphlet.registry import nearest
from glyphlet.spec import ModelSpec, PartSpec

Parts = Callable[[int, Geometry], dict[str, dict[str, Any]]]
"""From a width and the image to a backbone and a neck."""


@dataclass(frozen=True)
class Ladder:
    """Networks that differ in their width alone.

    Args:
        name: of the ladder; with a width it names a network: `glyph-3-96`.
        family: the backbone.
        widths: rising.
        rate: the learning rate of these networks.
        parts: what they are made of.
    """

    name: str
    family: str
    widths: Sequence[int]
    rate: float
    parts: Parts

    def spec(self, width: int, image: Geometry, head: PartSpec) -> ModelSpec:
        """The network of one width for images of this shape."""
        parts = self.parts(width, image)
        return ModelSpec(head=head, **{kind: PartSpec.model_validate(values) for kind, values in parts.items()})

    def named(self, width: int) -> str:
        """The name of the network of one width."""
        return f"{self.name}-{width}"


_GLYPH = (8, 16, 24, 32, 48, 64, 96, 128, 160, 224, 320)
_MICRO = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)


def _glyph(rows: int, depth: int) -> Parts:
    def parts(width: int, image: Geometry) -> dict[str, dict[str, Any]]:
        stem = max(4, 2 * round(width / 10))  # a fifth, as in the recipe `glyph`
        merge = max(1, image.height // 8)
        backbone = {"name": "glyph", "stem": stem, "rows": rows, "width": width, "depth": depth, "merge": merge}
        return {"backbone": backbone, "neck": {"name": "fold"}}

    return parts


def _micro(depth: int, recurrent: bool = False) -> Parts:
    def parts(width: int, image: Geometry) -> dict[str, dict[str, Any]]:
        neck = {"name": "bilstm", "hidden": max(4, width)} if recurrent else {"name": "fold"}
        return {"backbone": {"name": "micro", "nh": width, "depth": depth}, "neck": neck}

    return parts


def _mobile(width: int, image: Geometry) -> dict[str, dict[str, Any]]:
    return {"backbone": {"name": "mobilenetv3_small", "scale": width / 100}, "neck": {"name": "fold"}}


LADDERS = (
    Ladder("glyph-3", "glyph", _GLYPH, 0.003, _glyph(2, 3)),
    Ladder("glyph-2", "glyph", _GLYPH, 0.003, _glyph(1, 2)),
    Ladder("micro-2", "micro", _MICRO, 0.01, _micro(2)),
    Ladder("glyph-5", "glyph", _GLYPH, 0.003, _glyph(1, 5)),
    Ladder("micro-4", "micro", _MICRO, 0.01, _micro(4)),
    Ladder("micro-2-bilstm", "micro", _MICRO[:11], 0.01, _micro(2, recurrent=True)),
    Ladder("mobilenetv3", "mobilenetv3_small", (35, 50, 75, 100), 0.003, _mobile),
)
"""The most promising first: where the time is short, the last are left out."""
FAMILIES = tuple(dict.fromkeys(ladder.family for ladder in LADDERS))
USUAL = ("glyph", "micro")
"""The families that are tried where none are named."""


def ladders(families: Sequence[str] = USUAL) -> list[Ladder]:
    """The ladders of some families.

    Raises:
        CompressionError: there is no such family.
    """
    for name in families:
        if name not in FAMILIES:
            raise CompressionError(
                f"there is no family {name!r} to choose from{nearest(name, list(FAMILIES))}",
                allowed=", ".join(FAMILIES),
                next_step="name one of these, or leave out --family",
            )
    return [ladder for ladder in LADDERS if ladder.family in families]


def by_name(name: str) -> Ladder:
    """The ladder of a name."""
    return next(ladder for ladder in LADDERS if ladder.name == name)


__all__ = ["FAMILIES", "LADDERS", "USUAL", "Ladder", "by_name", "ladders"]
