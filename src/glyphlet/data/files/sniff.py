"""What format a label file is in, from its first lines."""

from __future__ import annotations

import codecs
import csv
import json
import re
from pathlib import Path

from glyphlet.data.files.folder import IMAGES

IMAGE_COLUMNS = (
    "image", "path", "file", "filename", "file_name", "image_path", "img", "img_path", "image_file", "image_name",
    "image_id", "name",
)  # fmt: skip
"""Names that columns and fields with images have, the likeliest first. Case does not count."""
TEXT_COLUMNS = (
    "text", "label", "value", "transcription", "transcript", "ground_truth", "gt", "gt_text", "words", "word",
    "sentence", "target", "caption", "content", "string",
)  # fmt: skip
"""The same for texts."""
DELIMITERS = ";,\t|"
_HEAD = 1 << 16
_SUFFIX = "|".join(suffix[1:] for suffix in sorted(IMAGES))
IMAGE_THEN_SPACE = re.compile(rf"(.*?\.(?:{_SUFFIX}))[ \t]+", re.IGNORECASE)


def head(data: bytes, whole: bool) -> list[str]:
    """The first lines of a text, leniently decoded; blank ones are left out.

    Args:
        data: its first bytes.
        whole: whether these are all.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")
    lines = text.split("\n")
    if not whole and len(lines) > 1:
        lines.pop()
    return [line.rstrip("\r") for line in lines if line.strip()]


def head_of(path: Path) -> list[str]:
    """The first lines of a file; nothing when it is none or cannot be read."""
    if not path.is_file():
        return []  # a pipe would be waited for
    try:
        with path.open("rb") as file:
            data = file.read(_HEAD)
        return head(data, len(data) < _HEAD)
    except (OSError, ValueError):
        return []


def columns(line: str, delimiter: str) -> list[str]:
    """The cells of a header, bare."""
    try:
        return [cell.strip().lower() for cell in next(csv.reader([line], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        return []


def header_delimiter(line: str, image: str | None = None, text: str | None = None) -> str | None:
    """What separates the columns of a header with a column for images and one for texts; None for other lines."""
    images = (image.lower(),) if image else IMAGE_COLUMNS
    texts = (text.lower(),) if text else TEXT_COLUMNS
    for delimiter in DELIMITERS:
        found = columns(line, delimiter)
        if any(name in found for name in images) and any(name in found for name in texts):
            return delimiter
    return None


def kind_of(name: str, lines: list[str]) -> str:
    """The format of a label file: `jsonl`, `doctr`, `csv`, `spaced` or `tsv`.

    Args:
        name: its name.
        lines: its first lines.
    """
    suffix = Path(name).suffix.lower()
    first = lines[0] if lines else ""
    if suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    if suffix == ".json" or first.lstrip().startswith("{"):
        return "jsonl" if _is_record(first, alone=len(lines) < 2) else "doctr"
    if suffix == ".csv" or header_delimiter(first) or re.fullmatch("sep=.", first):
        return "csv"
    if any("\t" in line for line in lines):
        return "tsv"
    return "spaced" if IMAGE_THEN_SPACE.match(first) else "tsv"


def is_kind(path: Path, kind: str) -> bool:
    """Whether a path is a label file of a format."""
    return path.is_file() and kind_of(path.name, head_of(path)) == kind


def _is_record(line: str, alone: bool) -> bool:
    """Whether a line is an object of JSON lines; one that is alone must have the usual fields."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    keys = {key.lower() for key in record} if isinstance(record, dict) else set()
    usual = bool(keys & set(IMAGE_COLUMNS)) and bool(keys & set(TEXT_COLUMNS))
    return bool(keys) and (usual or not alone)
