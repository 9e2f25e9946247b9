"""The options with which every verb on labelled lines is told what its source is like: the settings of a `SourceSpec`."""

from __future__ import annotations

from typing import Annotated

import typer

Encoding = Annotated[str, typer.Option(help="Of label files: auto is UTF-8, or what a byte order mark says.")]
Images = Annotated[
    str | None, typer.Option(help="The folder (or zip) that image paths are relative to. [default: beside SRC]")
]
Dictionary = Annotated[str | None, typer.Option(help="Index labels: the file with one character a line.")]
DictionaryEncoding = Annotated[str, typer.Option(help="Of the dictionary.")]
ImageColumn = Annotated[str | None, typer.Option(help="CSV, JSON lines, Parquet: the column of images.")]
TextColumn = Annotated[str | None, typer.Option(help="The same for the texts.")]
GroupColumn = Annotated[str | None, typer.Option(help="The same for groups (a page, a writer).")]
Delimiter = Annotated[str | None, typer.Option(help="CSV: what stands between columns.")]
Group = Annotated[
    str | None,
    typer.Option(help="A regular expression on image paths: what it matches is a line's group; or folder."),
]
NamePattern = Annotated[
    str | None, typer.Option(help="Text in the file name: a regular expression with a group named text.")
]


def cores() -> int:
    """How many processors this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
