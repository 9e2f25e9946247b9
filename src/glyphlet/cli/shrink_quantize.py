"""`glyphlet shrink quantize`: a model file that is computed in int8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glyphlet.cli.shrink_options import Only, Set, Skip, bars, check_output, command, table_of

if TYPE_CHECKING:
    from glyphlet.train.restore import Restored

_BESIDE = (".onnx.json", ".onnx.html")
"""Not small.json: that may be of the pruning that the model came from."""


def quantize(
    model: Annotated[
        Path,
        typer.Argument(
            help="Run folder, a .pt file in its checkpoints, a model file, or the name of one that ships.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write.", show_default=False)],
    max_loss: Annotated[float, typer.Option(help="Points of word accuracy that may be lost.")] = 0.5,
    lines: Annotated[int, typer.Option(help="Training lines to take the ranges from.")] = 200,
    recurrent: Annotated[
        str,
        typer.Option(
            help="float, or dynamic: LSTM layers in int8, too. Such a file reads line by line, never in batches."
        ),
    ] = "float",
    only: Only = None,
    skip: Skip = None,
    set_: Set = None,
) -> None:
    """Write a model file that is computed in int8, and measure what that costs on the validation lines.

    Ranges are taken from training lines. If more than --max-loss is lost, the layers that cost most stay in float. Size, time, word
    accuracy and CER before and after are printed, and stand in the file and in a report beside it. A model file names no
    lines: give some with --set 'data.train=[labels.txt]', a part of which validates, or 'data.validation=[others.txt]' too.
    """
    import tempfile

    from rich.console import Console

    from glyphlet.compress.accuracy import lines_of
    from glyphlet.compress.int8.outcome import write_outcome
    from glyphlet.compress.int8.quantize import Quantizing
    from glyphlet.compress.int8.quantize import quantize as run
    from glyphlet.errors import CompressionError
    from glyphlet.export.calibrate import calibrate_if_enough
    from glyphlet.export.parity import PARITY_LINES
    from glyphlet.runtime.shipped import model_path

    how = Quantizing(max_loss / 100, only or (), skip or (), recurrent)
    path = model_path(model)
    check_output(output, ".onnx", path, _BESIDE)
    full = _restored(path)
    if not full.recipe.data.train and not set_:
        raise CompressionError(
            f"{model} names no lines to calibrate and to measure on",
            allowed="a run of `glyphlet train`, or lines given with --set",
            next_step="give some: --set 'data.train=[labels.txt]'",
        )
    with bars() as tell, tempfile.TemporaryDirectory() as folder:
        task = lines_of(full, set_ or [], tell)
        calibration = task.train.some(lines).sources()
        validation = task.validation.some(PARITY_LINES)
        file = path if path.suffix == ".onnx" else _exported(full, Path(folder) / "float32.onnx", validation.sources())
        samples = [line.sample for line in validation]
        found = run(file, output, calibration, samples, how, tell)
        told = calibrate_if_enough(output, samples)
    write_outcome(output.with_suffix(".onnx.json"), output.with_suffix(".onnx.html"), found, {"Again": command()})
    console = Console(highlight=False)
    console.print(table_of(["", "before", "after", ""], [list(row) for row in found.rows()]))
    for note in found.notes():
        console.print(f"note   {note}", markup=False, soft_wrap=True)
    console.print(f"note   {told}", markup=False, soft_wrap=True)
    for name, said in (
        ("model", f"{output} ({len(found.int8)} layers in int8)"),
        ("report", ", ".join(str(output.with_suffix(suffix)) for suffix in _BESIDE)),
        ("again", command()),
    ):
        console.print(f"{name:<6} {said}", markup=False, soft_wrap=True)


def _restored(path: Path) -> Restored:
    """A run, or a model file as if it were one without lines."""
    from glyphlet.models.recognizer import build
    from glyphlet.train.restore import Restored, restore_run
    from glyphlet.train.start import load_model_file

    if path.suffix != ".onnx":
        return restore_run(path)
    start = load_model_file(path)
    model = build(start.recipe.model, start.recipe.image, start.charset)
    model.load_state_dict(start.weights)
    return Restored(model.eval(), start.recipe, {}, {})


def _exported(full: Restored, path: Path, sources: list[Any]) -> Path:
    from glyphlet.export.onnx import export_model

    export_model(full.model, path, sources, name=full.recipe.name, training=full.facts, measured=full.measured)
    return path
