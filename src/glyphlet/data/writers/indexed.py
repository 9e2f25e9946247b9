"""Index labels with a dictionary, as the 360CC set of the Chinese CRNN has them.

    folder/labels.txt         images/000001.jpg 17 4 201
    folder/dictionary.txt     one character a line; the first line, `blank`, is index 0

The dictionary grows with the texts, so both files are only ever added to.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from glyphlet.data.writers import Progress, Record, no_line, writes
from glyphlet.data.writers.folder import FolderWriter, _append, _close, _flush

DICTIONARY = "dictionary.txt"


@writes
class IndexedWriter(FolderWriter):
    """`path 17 4 201`."""

    name = "indexed"
    about = "360CC: labels.txt of path and indices, with the dictionary dictionary.txt"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._indices: dict[str, int] = {}
        self._dictionary: BinaryIO | None = None

    @classmethod
    def contents(cls) -> tuple[str, ...]:
        """The list, the dictionary, the images."""
        return (*super().contents(), DICTIONARY)

    @staticmethod
    def refuses(text: str) -> str:
        """A line break cannot have a line of the dictionary."""
        return no_line(text)

    def open(self, progress: Progress | None) -> None:
        """Begin, or go on with the dictionary as it was committed."""
        super().open(progress)
        self._dictionary = _append(self.part / DICTIONARY, progress["dictionary"] if progress else 0)
        if not progress:
            self._dictionary.write(b"blank\n")
        self._dictionary.seek(0)
        characters = self._dictionary.read().decode().split("\n")[:-1]
        self._indices = {char: index for index, char in enumerate(characters)}

    def entry(self, path: str, record: Record) -> bytes:
        """Path and indices; a new character gets the next index."""
        assert self._dictionary is not None
        indices = []
        for char in record.text:
            if char not in self._indices:
                self._indices[char] = len(self._indices)
                self._dictionary.write(f"{char}\n".encode())
            indices.append(str(self._indices[char]))
        return f"{path} {' '.join(indices)}\n".encode()

    def commit(self, progress: Progress) -> None:
        """The dictionary first: no index without its character."""
        assert self._dictionary is not None
        _flush(self._dictionary)
        super().commit(progress)

    def _state(self) -> Progress:
        assert self._dictionary is not None
        return super()._state() | {"dictionary": self._dictionary.tell()}

    def close(self) -> None:
        """Close both files."""
        _close(self._dictionary)
        self._dictionary = None
        super().close()
