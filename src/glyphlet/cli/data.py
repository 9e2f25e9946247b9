"""`glyphlet data`: labelled lines checked, converted and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glyphlet.cli.data_check import check
from glyphlet.cli.data_show import show
from glyphlet.cli.data_source import (
    Delimiter,
    Dictionary,
    DictionaryEncoding,
    Encoding,
    Group,
    GroupColumn,
    ImageColumn,
    Images,
    NamePattern,
    TextColumn,
    cores,
)

app = typer.Typer(
    name="data",
    help="Labelled lines of any format: check them, convert them, look at them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


def convert(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Labelled lines of any format.", show_default=False)],
    destination: Annotated[
        Path,
        typer.Argument(
            metavar="DST",
            help="train.lmdb, train.tar, train.zip, train.parquet, out/labels.csv, out/labels.jsonl, "
            "out/labels.json, or a folder.",
            show_default=False,
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            help="The format of DST, when its name does not say it: lmdb, tsv, spaced, csv, jsonl, doctr, "
            "indexed, pairs, names, zip, webdataset, parquet."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read and verify; 0 is one a core.")] = 0,
    shard_size: Annotated[int, typer.Option(min=0, help="Lines in a tar; 0 writes one tar.")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first line that cannot be written, instead of listing it.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older set in DST.")] = False,
    format: Annotated[str, typer.Option(help="The format of SRC; auto looks at it.")] = "auto",
    encoding: Encoding = "auto",
    images: Images = None,
    dictionary: Dictionary = None,
    dictionary_encoding: DictionaryEncoding = "auto",
    image_column: ImageColumn = None,
    text_column: TextColumn = None,
    group_column: GroupColumn = None,
    delimiter: Delimiter = None,
    group: Group = None,
    name_pattern: NamePattern = None,
) -> None:
    """Write labelled lines in another format, after decoding every image.

    Run the same command again after a kill, Ctrl-C or a full disk: it goes on where it stopped. Lines that cannot be
    written are listed in DST.dropped.txt; the exit code is then 1.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from glyphlet.data.conversion.convert import convert as run
    from glyphlet.spec import SourceSpec

    spec = SourceSpec(
        path=source, format=format, encoding=encoding, images=images, dictionary=dictionary,
        dictionary_encoding=dictionary_encoding, image_column=image_column, text_column=text_column,
        group_column=group_column, delimiter=delimiter, group=group, name_pattern=name_pattern,
    )  # fmt: skip
    console = Console(highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("converting", total=None, rate="")

        def tell(done: int, total: int) -> None:
            task = next(task for task in bars.tasks if task.id == bar)
            speed = f"{task.speed:,.0f} lines/s" if task.speed else ""
            bars.update(bar, completed=done, total=total, rate=speed)

        result = run(
            spec, destination, to=to, workers=workers or cores(), overwrite=overwrite, strict=strict,
            shard=shard_size, progress=tell,
        )  # fmt: skip
    for note in result.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    dropped = ", ".join(f"{kind} {count:,}" for kind, count in result.dropped.most_common())
    rate = (result.read - result.resumed) / max(result.seconds, 1e-9)
    console.print(
        f"{result.path}: {result.format}, {result.read:,} lines read, {result.written:,} written, "
        f"{sum(result.dropped.values()):,} dropped" + (f" ({dropped})" if dropped else "")
        + (f"; the first {result.resumed:,} were read before" if result.resumed else "")
        + f"; {result.seconds:.1f} s, {rate:,.0f} lines/s", markup=False, soft_wrap=True,
    )  # fmt: skip
    if result.listed is not None:
        typer.secho(f"glyphlet: lines were dropped; {result.listed} names each", err=True, fg="yellow")
        raise typer.Exit(1)


for verb in (check, convert, show):
    app.command()(verb)
