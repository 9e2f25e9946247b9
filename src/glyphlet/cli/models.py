"""`glyphlet models`: every part and every shipped recipe, with what it costs."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    width: Annotated[
        int, typer.Option(min=8, help="Width in pixels of the line that multiply-adds are counted for.")
    ] = 128,
) -> None:
    """List every part and every shipped recipe with parameters, file size and multiply-adds."""
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
    table = Table("kind", "name", "options and their defaults", title="parts", title_justify="left")
    for part in part_rows:
        table.add_row(part["kind"], part["name"], ", ".join(f"{k}={v}" for k, v in part["options"].items()))
    console.print(table)
    table = Table(title=f"recipes, for a line of {width} pixels", title_justify="left")
    columns = ("name", "parts", "classes", "parameters", "published total", "file kB", "multiply-adds")
    for column in columns:
        table.add_column(column, justify="left" if column in ("name", "parts") else "right", no_wrap=column == "name")
    for row in recipe_rows:
        table.add_row(*(_cell(row, key) for key in columns))
    console.print(table)


def _cell(row: dict[str, Any], column: str) -> str:
    value = row.get(column.replace(" ", "_").replace("-", "_").replace("file_kB", "file_kb"))
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
