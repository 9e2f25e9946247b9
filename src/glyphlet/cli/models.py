"""`glyphlet models`: the models that ship, every part, and every shipped recipe with what it costs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    width: Annotated[
        int, typer.Option(min=8, max=32_768, help="Width in pixels of the line that multiply-adds are counted for.")
    ] = 128,
) -> None:
    """List the models that ship with size, speed and accuracy, and every part and shipped recipe with what it costs.

    Without torch (the base install), only the models that ship.
    """
    from importlib.util import find_spec

    from rich.console import Console

    from glyphlet.runtime.shipped import shipped_rows

    found: dict[str, Any] = {"models": shipped_rows()}
    trains = find_spec("torch") is not None
    if trains:
        from glyphlet.models.catalogue import parts, recipes

        found |= {"width": width, "parts": parts(), "recipes": recipes(width)}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    console = Console()
    console.print(_shipped_table(found["models"]))
    if not trains:
        console.print("the parts and recipes of training: pip install 'glyphlet[train]'", markup=False)
        return
    console.print(_parts_table(found["parts"]))
    console.print(_recipes_table(found["recipes"], width))
    console.print(
        "published: as the source counted; `--json` says with how many classes. M mult.-adds: millions of multiply-adds"
    )


def _shipped_table(rows: list[dict[str, Any]]) -> Table:
    """The models that ship; accuracy is of whole lines of the real test sets, see docs/models."""
    table = _table("models, for reading: -m NAME", "name", "reads", "lines read without an error", "kB", "ms")
    for row in rows:
        right = "\n".join(f"{line['exact']:.1%} of {line['lines']} {line['set']}" for line in row["accuracy"])
        speed = "" if row["ms"] is None else f"{row['ms']:.1f}"
        table.add_row(row["name"], row["reads"], right, f"{row['file_kb']:,}", speed)
    table.caption = "ms: a line of 320 pixels on one thread"
    return table


def _parts_table(rows: list[dict[str, Any]]) -> Table:
    table = _table("parts", "kind", "name", "options and their defaults")
    for row in rows:
        table.add_row(row["kind"], row["name"], ", ".join(f"{key}={value}" for key, value in row["options"].items()))
    return table


def _recipes_table(rows: list[dict[str, Any]], width: int) -> Table:
    table = _table(f"recipes, for a line of {width} pixels")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "name" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(row, key) for key in COLUMNS.values()))
    return table


def _table(title: str, *columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(*columns, title=title, title_justify="left", caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)


COLUMNS = {
    "name": "name",
    "parameters": "parameters",
    "published": "published_total",
    "kB": "file_kb",
    "M mult.-adds": "multiply_adds",
}
"""Column headings, and the keys of their values."""


def _cell(row: dict[str, Any], key: str) -> str:
    value = row[key]
    if key == "multiply_adds":
        return f"{value / 1e6:,.1f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
