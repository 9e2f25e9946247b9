"""What a search is of and how far it has come, as it stands in its file."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from glyphlet.compress.record import check_same, read_record, write_record
from glyphlet.compress.search.entrants import Entrant
from glyphlet.compress.search.limits import Limits
from glyphlet.compress.search.space import USUAL
from glyphlet.data.check import CheckedLines
from glyphlet.errors import CompressionError
from glyphlet.spec import Recipe
from glyphlet.train.task import Task

KIND = "fit"
_DESCRIBES = ("name", "description", "source", "published", "model", "start", "teacher", "weights")
"""Sections of a recipe that the search does not depend on, or that it sets itself."""
_FREE = (
    "data.train",
    "data.validation",
    "data.test",
    "train.threads",
    "train.workers",
    "train.cache_mb",
    "train.lr",
    "train.ema",
)
"""Settings that decide nothing here, or are compared by their lines."""


@dataclass(frozen=True)
class Wish:
    """What is wanted.

    Args:
        limits: what the recogniser may cost.
        least: the word accuracy that it must have on the validation lines, above 0 and at most 1; None for the best there is.
        hours: the time box.
        families: backbones to choose from.
        width: pixels of the line that is timed; 0 is the median of the validation lines.

    Raises:
        CompressionError: a value is out of range, or nothing is wanted.
    """

    limits: Limits
    least: float | None = None
    hours: float = 1.0
    families: Sequence[str] = USUAL
    width: int = 0

    def __post_init__(self) -> None:
        if self.least is not None and not 0 < self.least <= 1:
            raise CompressionError(
                f"--min-accuracy is {self.least}", allowed="above 0, up to 1", next_step=".99 asks for 99 of 100 lines"
            )
        if not 0 < self.hours < float("inf"):
            raise CompressionError(
                f"--hours is {self.hours}", allowed="a number above 0", next_step="0.5 is half an hour"
            )
        if self.limits == Limits() and self.least is None:
            raise CompressionError(
                "there is no target",
                allowed="--max-kb, --max-ms, --min-accuracy, or several of them",
                next_step="say what the recogniser may cost: --max-kb 300 --max-ms 2",
            )


@dataclass
class State:
    """How far a search has come.

    Args:
        of: what it is of; see `identity`.
        command: what goes on with it.
        seconds: that were spent.
        entrants: the candidates, the most promising first.
        untried: name and reason of what takes no part.
        rungs: the rungs so far, as the fields of `halving.Planned`.
        result: what was chosen and measured, once the time is over or everything is done.
    """

    of: dict[str, Any]
    command: str
    seconds: float = 0.0
    entrants: list[Entrant] = field(default_factory=list)
    untried: list[list[str]] = field(default_factory=list)
    rungs: list[dict[str, Any]] = field(default_factory=list)
    result: dict[str, Any] | None = None

    def write(self, path: Path) -> None:
        """Write the file; raises CompressionError where it cannot be written."""
        write_record(path, KIND, {**vars(self), "entrants": [entrant.as_dict() for entrant in self.entrants]})

    @classmethod
    def read(cls, path: Path, of: Mapping[str, Any], command: str) -> State:
        """What the file says, or a beginning where there is none.

        Raises:
            CompressionError: the file is damaged, or of other lines, limits or settings; naming the first that differs.
        """
        if not path.exists():
            return cls(dict(of), command)
        values = read_record(path, KIND)
        check_same(path, values["of"], of)
        kept = {name: values[name] for name in ("seconds", "untried", "rungs", "result")}
        return cls(dict(of), command, entrants=[Entrant.of(entrant) for entrant in values["entrants"]], **kept)


def identity(task: Task, wish: Wish) -> dict[str, Any]:
    """What decides a search: the lines, the limits, every setting of the recipe that matters, and the machine."""
    limits = wish.limits
    return {
        "train": lines_of(task.train),
        "validation": lines_of(task.validation),
        "rendered lines": [repr(asdict_of(endless)) for endless in _endless(task.recipe)],
        "--max-kb": limits.kb,
        "--max-ms": limits.ms,
        "--min-accuracy": wish.least,
        "--family": list(wish.families),
        "--width": wish.width,
        "characters": task.model.codec.charset.text,
        **_settings(task.recipe),
        "processor": processor(),
    }


def _endless(recipe: Recipe) -> list[Any]:
    train = recipe.data.train
    sources = train if isinstance(train, list) else [train]
    return [source for source in sources if getattr(source, "endless", False)]


def asdict_of(value: Any) -> Any:
    """A section of a recipe as plain values."""
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else asdict(value)


def _settings(recipe: Recipe) -> dict[str, Any]:
    values = {key: value for key, value in recipe.dump().items() if key not in (*_DESCRIBES, "charset")}
    return {name: value for name, value in _flat(values, "") if name not in _FREE}


def _flat(values: Mapping[str, Any], where: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = f"{where}{key}"
        nested = isinstance(value, Mapping) and name not in ("data.train",)
        found += _flat(value, f"{name}.") if nested else [(name, value)]
    return found


def lines_of(lines: CheckedLines) -> str:
    """SHA-256 over the texts and widths of lines, in order."""
    digest = hashlib.sha256()
    for index, width in zip(lines.indices, lines.widths, strict=True):
        digest.update(f"{lines.source.text(int(index))}\t{width}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def processor() -> str:
    """What this machine computes with, as far as it says so: times are those of one kind of machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


__all__ = ["KIND", "State", "Wish", "identity", "lines_of", "processor"]
