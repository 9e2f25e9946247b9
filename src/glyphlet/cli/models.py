"""`glyphlet models`: every part and every shipped recipe, with what it costs."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    width: Annotated[
        int, typer.Option(min=8, max=32_768, help="Width in pixels of the line that multiply-adds are counted for.")
    ] = 128,
) -> None:
    """List every part and every shipped recipe with parameters, file size and multiply-adds."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from glyphlet.models.catalogue import parts, recipes

    part_rows, recipe_rows = parts(), recipes(width)
    if as_json:
        typer.echo(
            json.dumps({"width": width, "parts": part_rows, "recipes": recipe_rows}, ensure_ascii=False, indent=1)
        )
        return
    console = Console()
    table = Table("kind", "name", "options and their defaults", title="parts", title_justify="left", box=SIMPLE_HEAD)
    for part in part_rows:
        table.add_row(part["kind"], part["name"], ", ".join(f"{k}={v}" for k, v in part["options"].items()))
    console.print(table)
    table = Table(title=f"recipes, for a line of {width} pixels", title_justify="left", box=SIMPLE_HEAD)
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "name" else "right", no_wrap=True)
    for row in recipe_rows:
        table.add_row(*(_cell(row, key) for key in COLUMNS.values()))
    console.print(table)
    console.print(
        "published: as the source counted; `--json` says with how many classes. M mult.-adds: millions of multiply-adds"
    )


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
