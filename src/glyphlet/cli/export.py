"""`glyphlet export`: a checkpoint to the one-file model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Run folder, or a .pt file in its checkpoints.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write.", show_default=False)],
    lines: Annotated[
        list[Path] | None,
        typer.Option(help="Label files to compare on; the run's validation lines by default.", show_default=False),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the model is called; the recipe's name by default.")] = None,
    weights: Annotated[
        str,
        typer.Option(
            help="How the file stores them: float32, or float16 or int8 for half or a quarter of the size at the same speed."
        ),
    ] = "float32",
) -> None:
    """Write a checkpoint as one model file, if it reads as the trained model does.

    At least 200 lines are read through torch and through onnxruntime, preprocessing included. When one text differs
    by more than rounding, or a logit by more than 1e-4 of the largest, nothing is written. Weights stored as float16 or int8 are compared with float32
    after that: at most 0.5 or 2 % of the texts may change, and how many did stands in the file.
    """
    from rich.console import Console

    from glyphlet.data.open import open_lines
    from glyphlet.errors import ExportError
    from glyphlet.export.calibrate import calibrate_if_enough
    from glyphlet.export.onnx import export_model
    from glyphlet.export.parity import PARITY_LINES
    from glyphlet.train.restore import restore_run

    restored = restore_run(run)
    if not lines and not restored.recipe.data.train:
        raise ExportError(
            f"{run} names no lines to compare the file with the model on",
            allowed="a run of `glyphlet train`, or label files",
            next_step="give some: --lines labels.txt",
        )
    trained: list[str] | None = None
    if lines:
        samples = list(open_lines(lines))
    else:
        checked = restored.validation_lines().some(PARITY_LINES)
        samples, trained = [line.sample for line in checked], restored.read(checked).texts
    parity = export_model(
        restored.model,
        output,
        [sample.source for sample in samples],
        trained=trained,
        name=name or restored.recipe.name,
        training=restored.facts,
        measured=restored.measured,
        weights=weights,
    )
    told = calibrate_if_enough(output, samples)
    Console().print(
        f"{output} ({output.stat().st_size / 1024:.1f} kB): {parity.summary()}\n{told}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
