"""docTR's recognition labels: one JSON object from image names to texts, and the images in a folder `images` beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from glyphlet.data.files.content import Content
from glyphlet.data.files.encoding import text_in
from glyphlet.data.files.entries import NamedLines, limited
from glyphlet.data.files.folder import Folder
from glyphlet.data.files.sniff import TEXT_COLUMNS, is_kind
from glyphlet.data.files.textlines import Located, located
from glyphlet.data.formats import reads
from glyphlet.data.formats.jsonl import whole
from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec

_ALLOWED = 'one JSON object of image names and texts: {"1.png": "text"}'


class _Object(list[tuple[str, Any]]):
    """An object of JSON as pairs, so that a name that stands twice is not lost."""


def doctr_lines(spec: SourceSpec, at: Located) -> LineSet:
    """Entries of a `labels.json`.

    Raises:
        LabelError: it is no such JSON.
    """
    name = at.content.name
    pairs = _parsed(at.content, spec.encoding)
    problems: list[LabelError] = []
    found: list[tuple[str, str]] = []
    for image, value in pairs:
        text = _text(value, spec.text_column)
        if text is None or not image or not whole(image + text):
            limited(problems, _entry_error(name, image, value))
        else:
            found.append((image, text))
    if not pairs:
        raise LabelError(f"{name} holds no labels", allowed=_ALLOWED, next_step="write one entry for each image")
    images = _folder(spec, at.images, found)
    lines = NamedLines(spec, "doctr", images, found, lambda image: f"{name} entry {image!r}")
    lines.problems += problems
    doubled = len(found) - len({image for image, _ in found})
    if doubled:
        lines.notes.append(f"{doubled} images stand in it more than once; each entry is a line")
    return lines


def _parsed(content: Content, encoding: str) -> _Object:
    plain, codec, skip = text_in(content, encoding)
    try:
        data = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_Object).decode(
            plain.exactly(skip, plain.size - skip).decode(codec)
        )
    except UnicodeDecodeError as error:
        raise LabelError(
            f"{content.name} is not {codec.upper()} from byte {error.start + skip} on",
            allowed="JSON in UTF-8",
            next_step="save it as UTF-8, or name its encoding",
        ) from error
    except (ValueError, RecursionError) as error:
        raise LabelError(
            f"{content.name} is no JSON: {error}", allowed=_ALLOWED, next_step="correct it; it may be cut off"
        ) from error
    finally:
        plain.close()
    if isinstance(data, _Object):
        return data
    raise LabelError(
        f"{content.name} is a JSON {'array' if isinstance(data, list) else 'value'}",
        allowed=_ALLOWED + ", or JSON lines: one object a line",
        next_step=f"make JSON lines of an array: jq -c '.[]' {Path(content.name).name} > labels.jsonl",
    )


def _text(value: Any, wanted: str | None) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, _Object):
        return None
    fields = {key.lower(): text for key, text in value}
    names = (wanted.lower(),) if wanted else TEXT_COLUMNS
    found = next((fields[name] for name in names if name in fields), None)
    return found if isinstance(found, str) else None


def _entry_error(name: str, image: str, value: Any) -> LabelError:
    keys = [key for key, _ in value] if isinstance(value, _Object) else []
    if "polygons" in keys:
        return LabelError(
            f"{name} entry {image!r} has polygons: these are labels for detection",
            allowed=_ALLOWED,
            next_step="cut the lines out first, or name the labels for recognition",
        )
    what = f"the fields {', '.join(keys)}" if keys else repr(value)[:60]
    return LabelError(
        f"{name} entry {image!r} has no text: {what}", allowed=_ALLOWED, next_step="correct or remove the entry"
    )


def _folder(spec: SourceSpec, beside: Folder, found: list[tuple[str, str]]) -> Folder:
    """Where the images are: in the folder that is named, or in `images`, or beside the labels."""
    if spec.images or not found or beside.has(found[0][0]):
        return beside
    inner = beside.at("images")
    return inner if inner.has(found[0][0]) else beside


@reads("labels.json of docTR, images in images/", looks=lambda path: is_kind(path, "doctr"), rank=45)
def doctr(spec: SourceSpec) -> LineSet:
    """docTR's labels.json."""
    return doctr_lines(spec, located(spec))
