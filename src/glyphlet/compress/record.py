"""What a search has measured, as a JSON file that says of itself whether it is whole: written again and again, and gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphlet.errors import CompressionError, Interrupted
from glyphlet.files import replace_file

FORMAT = 1
_DIGEST = "sha256"
_SAID = {
    "model": "another model",
    "train": "another set of training lines",
    "validation": "another set of validation lines",
    "adapted": "another set of training lines to adapt to, or of none",
    "groups": "another choice of layers",
}
"""What a person is told where these differ; of other settings both values are told."""


@dataclass(frozen=True)
class Watch:
    """Who follows a search.

    Args:
        command: what repeats it; it stands in the file and in the message of an interruption.
        progress: called with what is done and how much there is.
        caught: signals that came; the search then keeps what it has and stops.
    """

    command: str = ""
    progress: Callable[[int, int], None] = lambda done, total: None
    caught: Sequence[int] = ()

    def stop(self, kept: str) -> None:
        """Stop if a signal came.

        Raises:
            Interrupted: one did.
        """
        if self.caught:
            raise Interrupted(f"interrupted; {kept}", self.caught[0], next_step=f"go on with `{self.command}`")


def _digest(values: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in values.items() if key != _DIGEST}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def write_record(path: Path, kind: str, values: Mapping[str, Any]) -> None:
    """Write values with their digest; the file appears whole or not at all.

    Args:
        path: the file to write.
        kind: what it holds, such as `sensitivity`.
        values: what JSON has words for.

    Raises:
        CompressionError: it cannot be written; what stood there before still does.
    """
    whole = {"glyphlet": kind, "format": FORMAT, **values}
    text = json.dumps({**whole, _DIGEST: _digest(whole)}, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        replace_file(path, f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise CompressionError(
            f"{path} cannot be written: {error.strerror or error}",
            allowed="a file in a folder that exists, may be written to and has room",
            next_step="check the folder and the free space, then give the same command again",
        ) from error


def read_record(path: Path, kind: str) -> dict[str, Any]:
    """Read values that `write_record` wrote.

    Raises:
        CompressionError: there is no such file, it is damaged or was changed by hand, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _refused(path, kind, "does not exist", f"make it with `{_verb(kind)}`") from error
    except OSError as error:
        raise _refused(path, kind, f"cannot be read: {error.strerror or error}", "check the path") from error
    except ValueError as error:  # of JSON or of UTF-8
        raise _refused(path, kind, f"is damaged, or no such file: {' '.join(str(error).split())[:120]}") from error
    if not isinstance(values, dict) or values.get("glyphlet") != kind:
        raise _refused(path, kind, f"holds no {kind}")
    if values.get("format") != FORMAT:
        raise _refused(path, kind, f"has format {values.get('format')!r}, and this version reads {FORMAT}")
    if values.get(_DIGEST) != _digest(values):
        raise _refused(path, kind, "is damaged or was changed: its content does not match its digest")
    return values


def _verb(kind: str) -> str:
    return f"glyphlet {kind}" if kind == "fit" else f"glyphlet shrink {kind}"


def _refused(path: Path, kind: str, problem: str, next_step: str = "") -> CompressionError:
    return CompressionError(
        f"{path} {problem}",
        allowed=f"a file that `{_verb(kind)}` wrote",
        next_step=next_step or "delete it to measure anew, or give another path",
    )


def check_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse a record of something else.

    Args:
        path: where it was read.
        found: what it says that it is of.
        wanted: what it should be of; a key that is missing here may be anything.

    Raises:
        CompressionError: naming the first thing that differs.
    """
    for key, value in wanted.items():
        if found.get(key) != value:
            what = _SAID.get(key) or f"{key} {found.get(key)!r}, and now it is {value!r}"
            raise CompressionError(
                f"{path} is of {what}",
                allowed="the model, the lines and the settings that it was begun with",
                next_step="give those, or another file to write",
            )


__all__ = ["FORMAT", "Watch", "check_same", "read_record", "write_record"]
