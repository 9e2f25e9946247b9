"""The formats that labelled lines are kept in: one file a family. Each reader returns a `LineSet`.

A reader is a function of a `SourceSpec`; its name is the name of the format. `looks` says whether a path looks like that
format; formats are asked in the order of their `rank`, the surest signs first, and the first that says yes opens it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from glyphlet.data.lineset import LineSet
from glyphlet.spec import SourceSpec

Opener = Callable[[SourceSpec], LineSet]


@dataclass(frozen=True)
class Format:
    """A format of labelled lines.

    Args:
        name: what `--format` and recipes call it.
        about: one line on what it is and who writes it.
        looks: whether a path (file or folder, which exists) looks like it; must be quick and raise nothing.
        rank: lower ones are asked first.
        open: opens it.
    """

    name: str
    about: str
    looks: Callable[[Path], bool]
    rank: int
    open: Opener


FORMATS: dict[str, Format] = {}
"""Every format by name."""


def reads(about: str, *, looks: Callable[[Path], bool], rank: int = 50) -> Callable[[Opener], Opener]:
    """Decorator: registers a function of a `SourceSpec` as the reader of the format with the function's name."""

    def register(opener: Opener) -> Opener:
        name = opener.__name__
        if name in FORMATS:
            raise ValueError(f"format {name!r} is registered twice")
        FORMATS[name] = Format(name, about, looks, rank, opener)
        return opener

    return register


for _module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
