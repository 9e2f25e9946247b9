"""The file of a character language model: one line that says what it is, one with a digest, and arrays.

    glyphlet-lm 1\\n
    SHA-256 of all that follows, 64 hexadecimal digits\\n
    a NumPy archive (.npz): alphabet, and contexts0, starts0, rest0, followers0, counts0, contexts1, ...

Numbers are stored in the smallest type that holds them; contexts, which ascend, as the steps between them.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.decode.ngram import Counts, NGrams
from glyphlet.errors import GlyphletError
from glyphlet.files import replace_file

MAGIC = b"glyphlet-lm 1\n"
_FAMILY = b"glyphlet-lm "
_FIELDS = ("contexts", "starts", "rest", "followers", "counts")


def save(ngrams: NGrams, path: str | Path) -> int:
    """Write a model; the same model gives the same bytes.

    Args:
        ngrams: the model.
        path: replaced whole.

    Returns:
        The bytes of the file.
    """
    arrays: dict[str, NDArray[Any]] = {"alphabet": np.array([ord(char) for char in ngrams.alphabet], np.uint32)}
    for number, level in enumerate(ngrams.levels):
        steps = np.diff(level.contexts, prepend=0)
        values: tuple[NDArray[Any], ...] = (steps, np.diff(level.starts), level.rest, level.followers, level.counts)
        arrays |= {f"{name}{number}": _small(value) for name, value in zip(_FIELDS, values, strict=True)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # it takes the option allow_pickle, too
    body = buffer.getvalue()
    data = MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    replace_file(Path(path), data)
    return len(data)


def load(path: str | Path) -> NGrams:
    """Open a model.

    Raises:
        GlyphletError: the file is missing, damaged, no language model, or of a newer version.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror}", "check the path") from error
    if not data.startswith(MAGIC):
        newer = data.startswith(_FAMILY)
        raise _refusal(
            path,
            "has a newer format than this version reads" if newer else "is no language model of Glyphlet",
            "pip install -U glyphlet" if newer else "write one: glyphlet lm text.txt -o FILE",
        )
    digest, _, body = data[len(MAGIC) :].partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise _refusal(path, "is damaged", "write it again: glyphlet lm text.txt -o FILE")
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        alphabet = "".join(map(chr, arrays["alphabet"].tolist()))
        order = sum(name.startswith("contexts") for name in arrays.files)
        return NGrams(alphabet, tuple(_level({f: arrays[f"{f}{n}"] for f in _FIELDS}) for n in range(order)))


def _level(arrays: dict[str, NDArray[Any]]) -> Counts:
    wide = {name: array.astype(np.int64) for name, array in arrays.items()}
    starts = np.concatenate([[0], np.cumsum(wide["starts"])])
    followers = wide["followers"].astype(np.int32)
    return Counts(np.cumsum(wide["contexts"]), starts, wide["rest"], followers, wide["counts"])


def _small(values: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, none below 0, in the smallest type."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def _refusal(path: str | Path, problem: str, next_step: str) -> GlyphletError:
    return GlyphletError(
        f"the language model {path} {problem}", allowed="a file that `glyphlet lm` wrote", next_step=next_step
    )


__all__ = ["MAGIC", "load", "save"]
