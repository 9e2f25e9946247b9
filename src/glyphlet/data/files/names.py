"""Many short strings in little memory: file names, texts, database keys."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Names(Sequence[str]):
    """Strings, packed one behind the other: 8 bytes each besides their letters, where a `str` takes 50 or more.

    Args:
        strings: the strings, or their bytes. Names that are not UTF-8 are kept by `surrogateescape`, as the operating
            system's are.

    >>> names = Names(["b.png", "a.png"])
    >>> names[1], names.find("a.png"), names.find("c.png")
    ('a.png', 1, -1)
    """

    def __init__(self, strings: Iterable[str | bytes]) -> None:
        packed = bytearray()
        ends = []
        for chunk in _chunks(strings):
            raw = [s.encode("utf-8", "surrogateescape") if isinstance(s, str) else s for s in chunk]
            ends.append(len(packed) + np.cumsum([len(r) for r in raw], dtype=np.int64))
            packed += b"".join(raw)
        self._packed = bytes(packed)
        self._starts = np.concatenate([np.zeros(1, np.int64), *ends])
        self._hashes: NDArray[np.int64] | None = None
        self._order: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self._starts) - 1

    def raw(self, index: int) -> bytes:
        """The bytes of a string."""
        return self._packed[self._starts[index] : self._starts[index + 1]]

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index >= len(self):
            raise IndexError(index)
        return self.raw(index).decode("utf-8", "surrogateescape")

    def find(self, name: str | bytes) -> int:
        """The number of the last string that is equal to this one; -1 when there is none."""
        wanted = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
        if self._hashes is None or self._order is None:
            hashes = np.fromiter((hash(self.raw(i)) for i in range(len(self))), np.int64, len(self))
            self._order = np.argsort(hashes, kind="stable")
            self._hashes = hashes[self._order]
        number = hash(wanted)
        end = int(np.searchsorted(self._hashes, number, "right"))
        while end and self._hashes[end - 1] == number:
            end -= 1
            if self.raw(int(self._order[end])) == wanted:
                return int(self._order[end])
        return -1

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str | bytes) and self.find(name) >= 0

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_hashes": None, "_order": None}  # another process hashes strings otherwise


def _chunks(strings: Iterable[str | bytes]) -> Iterator[list[str | bytes]]:
    iterator = iter(strings)
    while chunk := list(itertools.islice(iterator, 65536)):
        yield chunk
