"""Rendered lines as a folder of images with a label file, and as a contact sheet to look at.

    folder/synth.json            the settings, written first
    folder/images/000000.png ...
    folder/labels.txt            images/000000.png<TAB>text, UTF-8, LF

The label file is written last and under another name first, so a folder that has one is complete. Images, too, appear
whole or not at all. So a set that was broken off is gone on with: the lines that are missing are rendered, and since
every line depends on its number alone, the set is the same as one written at once, by any number of processes.
"""

from __future__ import annotations

import errno
import io
import json
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import PIL
from PIL import Image, features

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError
from glyphlet.files import replace_file
from glyphlet.spec import SynthSpec
from glyphlet.synth.render import RenderedLine, RenderedSet

LABELS = "labels.txt"
IMAGES = "images"
SETTINGS = "synth.json"
_OURS = re.compile(r"\d{6,}\.(png|jpg)(\.part)?")
_CHUNK = 64  # lines that a process renders before it reports
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImageFormat:
    """How images are written.

    Args:
        name: `png` (without loss) or `jpeg`.
        quality: of JPEG, 1 to 100.
    """

    name: Literal["png", "jpeg"] = "png"
    quality: int = 90

    def path(self, index: int) -> str:
        """The path of a line inside the folder."""
        return f"{IMAGES}/{index:06d}.{'png' if self.name == 'png' else 'jpg'}"

    def encode(self, image: Image.Image) -> bytes:
        """An image as a file."""
        buffer = io.BytesIO()
        if self.name == "png":
            image.save(buffer, "PNG", compress_level=1)
        else:
            image.save(buffer, "JPEG", quality=self.quality)
        return buffer.getvalue()


def write_set(
    spec: SynthSpec,
    charset: Charset,
    folder: str | os.PathLike[str],
    stream: str = "train",
    progress: Progress | None = None,
    *,
    overwrite: bool = False,
    workers: int = 1,
    image_format: ImageFormat = ImageFormat(),
) -> Path:
    """Render a set into a folder, or go on with one that was broken off.

    Args:
        spec: what to render.
        charset: the characters that may occur.
        folder: where to; it is made when it does not exist.
        stream: `train`, `test` or any other name; each is a different draw.
        progress: called with (lines done, lines in all) after each line, or after some.
        overwrite: replace the set that is in the folder; other files in it are left alone.
        workers: processes; with more than one, a program must start behind `if __name__ == "__main__"`.
        image_format: how images are written.

    Returns:
        The path of the label file.

    Raises:
        GlyphletError: the folder holds anything but a part of the same set, cannot be written to, or the disk is full; or
            as `RenderedSet`.
    """
    root = Path(folder)
    lines = RenderedSet(spec, charset, stream)  # first, so that a bad spec leaves no folder behind
    writer = _Writer(lines, root, image_format)
    settings = _settings(spec, charset, stream, image_format)
    done = 0
    try:
        if not overwrite and _same(root, settings) and (root / LABELS).is_file():
            if progress:
                progress(len(lines), len(lines))
            return root / LABELS
        missing = _prepare(root, settings, writer, overwrite)
        texts: dict[int, str] = {}
        done = len(lines) - len(missing)
        for index, text in _written(writer, missing, workers):
            texts[index] = text
            done += 1
            if progress:
                progress(done, len(lines))
        labels = "".join(f"{image_format.path(i)}\t{_text(lines, texts, i)}\n" for i in range(len(lines)))
        replace_file(root / LABELS, labels.encode("utf-8"))
        return root / LABELS
    except OSError as error:
        raise _cannot_write(root, error, len(_present(root)) if done else 0, len(lines)) from error


def _text(lines: RenderedSet, texts: dict[int, str], index: int) -> str:
    return texts[index] if index in texts else lines.text(index)


@dataclass(frozen=True)
class _Writer:
    """Renders lines and writes their images."""

    lines: RenderedSet
    root: Path
    image_format: ImageFormat

    def write(self, indices: Sequence[int]) -> Iterator[tuple[int, str]]:
        """The lines of these numbers; gives each number with its text when its image is on the disk."""
        for index in indices:
            line = self.lines[index]
            path = self.root / self.image_format.path(index)
            part = path.with_name(path.name + ".part")
            try:
                part.write_bytes(self.image_format.encode(line.image))
                os.replace(part, path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            yield index, line.text


def _settings(spec: SynthSpec, charset: Charset, stream: str, image_format: ImageFormat) -> dict[str, Any]:
    """All that decides what the images are."""
    files = [*spec.fonts, *(path for path in (spec.text_file, spec.glyphs) if path)]
    return {
        "spec": spec.model_dump(mode="json"),
        "charset": charset.text,
        "half_width": charset.half_width,
        "stream": stream,
        "format": image_format.name,
        "quality": image_format.quality if image_format.name == "jpeg" else None,
        "sizes": {path: Path(path).stat().st_size for path in files if Path(path).is_file()},
        "pillow": PIL.__version__,
        "freetype": features.version("freetype2"),
    }


def _same(root: Path, settings: dict[str, Any]) -> bool:
    return _difference(root, settings) == ""


def _difference(root: Path, settings: dict[str, Any]) -> str | None:
    """Which setting of the set in a folder is another one; empty for none, None when there is no set."""
    try:
        old = json.loads((root / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(old, dict) or not isinstance(old.get("spec"), dict):
        return None
    for name, value in settings["spec"].items():
        if old["spec"].get(name) != value:
            return f"{name} {json.dumps(old['spec'].get(name), ensure_ascii=False)}"
    return next((str(name) for name, value in settings.items() if old.get(name) != value), "")


def _prepare(root: Path, settings: dict[str, Any], writer: _Writer, overwrite: bool) -> Sequence[int]:
    """Make the folder, or look at what it holds.

    Returns:
        The numbers of the lines that are missing.
    """
    difference = _difference(root, settings)
    if root.is_dir() and any(root.iterdir()) and not overwrite and difference != "":
        raise GlyphletError(
            f"the folder {root} is not empty" + (f": its set has another {difference}" if difference else ""),
            allowed="a new or an empty folder, or one with a part of the same set",
            next_step="give another folder, or overwrite the set that is in it",
        )
    (root / IMAGES).mkdir(parents=True, exist_ok=True)
    (root / LABELS).unlink(missing_ok=True)
    count = len(writer.lines)
    present: set[int] = set()
    for path in _present(root):
        index = int(path.name.partition(".")[0])
        if index < count and not overwrite and root / writer.image_format.path(index) == path:
            present.add(index)
        else:
            path.unlink()
    replace_file(root / SETTINGS, json.dumps(settings, ensure_ascii=False, indent=1).encode("utf-8"))
    return [i for i in range(count) if i not in present] if present else range(count)


def _present(root: Path) -> list[Path]:
    """The images of a set, also unfinished ones."""
    folder = root / IMAGES
    return [path for path in folder.iterdir() if _OURS.fullmatch(path.name)] if folder.is_dir() else []


def _written(writer: _Writer, indices: Sequence[int], workers: int) -> Iterator[tuple[int, str]]:
    """Write lines, in one process or in several."""
    if workers <= 1 or len(indices) <= _CHUNK:
        yield from writer.write(indices)
        return
    chunks = (indices[i : i + _CHUNK] for i in range(0, len(indices), _CHUNK))
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of a progress bar half
    pool = ProcessPoolExecutor(workers, context, initializer=_start, initargs=(writer,))
    try:
        waiting: set[Future[list[tuple[int, str]]]] = {
            pool.submit(_work, chunk) for chunk in islice(chunks, 4 * workers)
        }
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield from future.result()
                waiting |= {pool.submit(_work, chunk) for chunk in islice(chunks, 1)}
    except BrokenProcessPool as error:
        raise GlyphletError(
            "a process that rendered lines was ended from outside, perhaps because memory ran out",
            allowed="one to as many processes as there are cores",
            next_step="run the same command again with fewer workers; it goes on with the lines that are missing",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_writer: _Writer | None = None
"""Of this process, when it is a worker."""


def _start(writer: _Writer) -> None:
    global _writer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _writer = writer


def _end_with_parent() -> None:
    """A parent that was killed does not tell its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(indices: Sequence[int]) -> list[tuple[int, str]]:
    assert _writer is not None
    return list(_writer.write(indices))


def _cannot_write(root: Path, error: OSError, done: int, count: int) -> GlyphletError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return GlyphletError(
            f"the disk is full: {done} of {count} lines are in {root / IMAGES}, and there is no {LABELS}",
            allowed="about 2 to 20 kB of free space a line",
            next_step="free some space and run the same command again; it goes on with the lines that are missing",
        )
    return GlyphletError(
        f"{root} cannot be written to: {error.strerror or error}",
        allowed="a folder that you may write to",
        next_step="check the path and its permissions, then render again",
    )


def contact_sheet(lines: Iterable[RenderedLine], columns: int = 4) -> Image.Image:
    """Lines side by side on grey, row by row, for looking at.

    Args:
        lines: the lines, each at its own size; all of them are held at once.
        columns: how many stand in a row.

    Returns:
        RGB image; every cell is as large as the largest line, with 4 pixels between.

    Raises:
        GlyphletError: there are no lines, or fewer than one column.
    """
    images = [line.image for line in lines]
    if not images or columns < 1:
        raise GlyphletError(
            f"a contact sheet of {len(images)} lines in {columns} columns is empty",
            allowed="at least one line and one column",
            next_step="give more",
        )
    gap = 4
    width, height = max(i.width for i in images) + gap, max(i.height for i in images) + gap
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (width * min(columns, len(images)) + gap, height * rows + gap), (128, 128, 128))
    for number, image in enumerate(images):
        sheet.paste(image, (number % columns * width + gap, number // columns * height + gap))
    return sheet
