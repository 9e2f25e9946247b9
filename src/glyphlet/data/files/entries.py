"""Lines whose images and texts are named one by one: entries of a JSON file, pairs of files, names of images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from glyphlet.data.files.content import Content
from glyphlet.data.files.encoding import text_in
from glyphlet.data.files.folder import Folder
from glyphlet.data.files.names import Names
from glyphlet.data.files.textfile import MAX_PROBLEMS
from glyphlet.data.files.textlines import SourceLines
from glyphlet.data.sample import Sample
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec

_LONGEST = 1 << 20


class NamedLines(SourceLines):
    """Lines with an image by name in a folder, and a text that is made from a string kept beside it.

    Args:
        spec: the source.
        format: the name of its format.
        folder: what the images are in.
        lines: the image and the string of each line.
        text: from that string to the text; the string itself by default.
        where: the origin of a line, from the name of its image.
    """

    def __init__(
        self,
        spec: SourceSpec,
        format: str,
        folder: Folder,
        lines: Iterable[tuple[str, str]],
        where: Callable[[str], str],
        text: Callable[[str], str] = str,
    ) -> None:
        super().__init__(spec, format)
        self.folder = folder
        self._where = where
        self._text = text
        strings: list[str] = []

        def images() -> Iterable[str]:
            for image, string in lines:
                strings.append(string)
                yield image

        self._images = Names(images())
        self._strings = Names(strings)
        self.notes += folder.notes

    def __len__(self) -> int:
        return len(self._images)

    def text(self, index: int) -> str:
        """The label of a line."""
        return self._text(self._strings[index])

    def origin(self, index: int) -> str:
        """Where a line comes from."""
        return self._where(self._images[index])

    def image_name(self, index: int) -> str:
        """The name of a line's image in its folder."""
        return self._images[index]

    def path(self, index: int) -> Path | None:
        """The image file of a line, unless it is in an archive."""
        return self.folder.path(self._images[index])

    def sample(self, index: int) -> Sample:
        """A line with its image."""
        return Sample(self.folder.image(self._images[index]), self.text(index), self.origin(index))

    def close(self) -> None:
        """Close the archive."""
        self.folder.close()


def small_text(content: Content, encoding: str) -> str:
    """A text of a line's size.

    Raises:
        LabelError: it is in another encoding, or far larger.
    """
    if content.size > _LONGEST:
        raise LabelError(
            f"{content.name} has {content.size:,} bytes",
            allowed="a text file of one line",
            next_step="see what is in it",
        )
    plain, codec, skip = text_in(content, encoding)
    try:
        return plain.exactly(skip, plain.size - skip).decode(codec)
    except UnicodeDecodeError as error:
        raise LabelError(
            f"{content.name} is not {codec.upper()}",
            allowed="text in UTF-8, or in the encoding that the source names",
            next_step="set encoding, such as `encoding: gb18030`",
        ) from error
    finally:
        plain.close()


def one_line(content: Content, encoding: str) -> str:
    """The text of a file that holds one line; its line end is no part of it.

    Raises:
        LabelError: it is in another encoding, or holds more lines.
    """
    text = small_text(content, encoding).rstrip("\r\n")
    if "\n" in text:
        raise LabelError(
            f"{content.name} has {text.count(chr(10)) + 1} lines, and its image is one line",
            allowed="a text file of one line for each image",
            next_step="cut the image into lines",
        )
    return text


def limited(problems: list[LabelError], error: LabelError) -> None:
    """Add a problem to a list, unless the list is as long as anyone reads."""
    if len(problems) < MAX_PROBLEMS:
        problems.append(error)
    elif len(problems) == MAX_PROBLEMS:
        problems.append(LabelError("there are more malformed lines, which are not listed"))


def some(names: list[str]) -> str:
    """A few names as examples."""
    return ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
