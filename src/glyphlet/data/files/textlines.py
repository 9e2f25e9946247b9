"""Lines of a label file: what its formats have in common."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from glyphlet.data.files.content import Content, FileContent
from glyphlet.data.files.folder import DiskFolder, Folder, is_image
from glyphlet.data.files.textfile import Form, TextFile
from glyphlet.data.files.zipfolder import open_folder
from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec

MODELS = (".onnx", ".pt", ".pth", ".ckpt", ".safetensors", ".pdparams", ".mlmodel", ".h5", ".tflite")


@dataclass(frozen=True)
class Located:
    """A label file, and the folder that its image paths are relative to."""

    content: Content
    images: Folder


def no_label_file(path: str | Path) -> LabelError | None:
    """The error for a model or an image where labels are needed; None for other files."""
    if Path(path).suffix.lower() not in MODELS and not is_image(str(path)):
        return None
    return LabelError(
        f"{path} is given where a label file is needed",
        allowed="labelled lines, such as a label file of path<TAB>text",
        next_step="name one model, then label files",
    )


def located(spec: SourceSpec) -> Located:
    """The label file of a source.

    Raises:
        LabelError: there is none, or it is a model or an image.
    """
    error = no_label_file(spec.path)
    if error:
        raise error
    folder = open_folder(spec.images) if spec.images else DiskFolder(Path(spec.path).parent)
    return Located(FileContent(spec.path), folder)


def grouping(spec: SourceSpec) -> Callable[[str], str] | None:
    """From an image's path to the group of its line, as the source's settings say; None without groups.

    Raises:
        LabelError: it is no regular expression.
    """
    if spec.group is None:
        return None
    if spec.group == "folder":
        return lambda name: str(PurePosixPath(name.replace("\\", "/")).parent)
    try:
        pattern = re.compile(spec.group)
    except re.error as error:
        raise LabelError(
            f"group {spec.group!r} is no regular expression: {error}",
            allowed="folder, or a regular expression on the image's path, such as ^(page\\d+)_",
            next_step="correct group",
        ) from error

    def group(name: str) -> str:
        match = pattern.search(name)
        return "" if match is None else (match[1] or "") if pattern.groups else match[0]

    return group


def reopened(format: str, spec: SourceSpec) -> LineSet:
    """Open a set again, in another process."""
    from glyphlet.data.formats import FORMATS

    return FORMATS[format].open(spec)


class SourceLines(LineSet):
    """Lines of a source, which another process opens again by its settings.

    Args:
        spec: the source.
        format: the name of its format.
    """

    def __init__(self, spec: SourceSpec, format: str) -> None:
        super().__init__(spec.path, format)
        self.spec = spec
        self.reopened_as = format
        self._group = grouping(spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return reopened, (self.reopened_as, self.spec)

    @property
    def grouped(self) -> bool:
        """Whether lines have groups."""
        return self._group is not None or self.spec.group_column is not None

    @abstractmethod
    def image_name(self, index: int) -> str:
        """The path of a line's image, as the source names it."""

    def group(self, index: int) -> str:
        """The group of a line, from its image's path."""
        return self._group(self.image_name(index)) if self._group else ""


class Cells(NamedTuple):
    """What a line of a label file says."""

    image: str
    text: str
    group: str = ""


class TextLines(SourceLines):
    """Lines of a label file.

    Args:
        spec: the source.
        format: the name of its format.
        at: where the label file and the images are.
        form: what its lines must be like.
        cells: from a line to what it says; raises `ValueError` with what is wrong with it.
    """

    def __init__(self, spec: SourceSpec, format: str, at: Located, form: Form, cells: Callable[[str], Cells]) -> None:
        super().__init__(spec, format)
        self.images = at.images
        self.cells = cells
        self.file = TextFile(at.content, spec.encoding, form)
        self.problems = self.file.problems
        if not len(self.file) and not self.problems:
            raise LabelError(
                f"{self.file.name} holds no labels", allowed=form.allowed, next_step="write one line for each image"
            )
        self.notes += at.images.notes
        self._turned = self._backslashes()

    def _backslashes(self) -> bool:
        """Whether image paths were written on Windows; the first line decides."""
        name = self._cells(0).image if len(self) else ""
        turned = name.replace("\\", "/")
        if turned == name or self.images.has(name) or not self.images.has(turned):
            return False
        self.notes.append(f"image paths have backslashes, which are read as slashes, such as {name!r}")
        return True

    def _cells(self, index: int) -> Cells:
        return self.cells(self.file.line(index))

    def __len__(self) -> int:
        return len(self.file)

    @property
    def malformed(self) -> int:
        """How many lines of the file are malformed."""
        return self.file.malformed

    def text(self, index: int) -> str:
        """The label of a line."""
        return self._cells(index).text

    def origin(self, index: int) -> str:
        """The label file and the number of the line in it."""
        return f"{self.file.name} line {self.file.number(index)}"

    def _image(self, cells: Cells) -> str:
        return cells.image.replace("\\", "/") if self._turned else cells.image

    def image_name(self, index: int) -> str:
        """The path of a line's image, as the label file names it."""
        return self._image(self._cells(index))

    def sample(self, index: int) -> Sample:
        """A line with its image."""
        cells = self._cells(index)
        return Sample(self.images.image(self._image(cells)), cells.text, self.origin(index))

    def path(self, index: int) -> Path | None:
        """The image file of a line, unless it is in an archive."""
        return self.images.path(self.image_name(index))

    def group(self, index: int) -> str:
        """The group of a line, from its column or from its image's path."""
        return self._cells(index).group if self.spec.group_column else super().group(index)

    def close(self) -> None:
        """Close the label file and the archive of the images."""
        self.file.content.close()
        self.images.close()
