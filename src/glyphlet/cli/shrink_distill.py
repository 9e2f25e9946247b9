"""`glyphlet shrink distill`: train a smaller model from the outputs of a larger one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glyphlet.cli.shrink_options import bars, command, table_of

if TYPE_CHECKING:
    from glyphlet.compress.compared import Compared
    from glyphlet.job import Job
    from glyphlet.spec import Recipe

REPORT = "distilled"
"""The report in the run folder, .json and .html, beside that of the training."""


def distill(
    student: Annotated[
        str,
        typer.Argument(
            help="The smaller model: a checkpoint of glyphlet shrink, which is trained further, or a recipe.",
            show_default=False,
        ),
    ],
    teacher: Annotated[
        Path,
        typer.Argument(
            help="The larger one: a run folder, a checkpoint, a model file, or a model that ships.", show_default=False
        ),
    ],
    posteriors: Annotated[
        float | None,
        typer.Option(
            min=0, help="Weight of the teacher's posteriors at each step; 1 for a checkpoint.", show_default=False
        ),
    ] = None,
    temperature: Annotated[float, typer.Option(help="Both sides' logits are divided by it.")] = 1.0,
    sequence: Annotated[
        float | None,
        typer.Option(min=0, help="Weight of the texts that the teacher reads; 1 for a recipe.", show_default=False),
    ] = None,
    features: Annotated[float, typer.Option(min=0, help="Weight of which time steps are alike.")] = 0.0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a value of the recipe: train.epochs=20.", show_default=False),
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Where the run folder is made.")] = Path("runs"),
) -> None:
    """Train a smaller model from the outputs of a larger one, and compare the two.

    A checkpoint starts where it is, and learns the teacher's posteriors: it fires at the same steps. A recipe starts anew, and learns what the
    teacher reads. A recipe without lines takes those of the teacher's run. The result is an ordinary run with a model file; distilled.html
    in it compares both on the validation lines. `glyphlet train --resume RUN` goes on after Ctrl-C.
    """
    from rich.console import Console

    from glyphlet.evaluate.report import preformatted, table_section, write_report
    from glyphlet.evaluate.scores import write_whole
    from glyphlet.job import run

    weights = {"posteriors": posteriors, "sequence": sequence}
    recipe = _recipe(student, teacher, weights, temperature, features, set_ or [])
    console = Console()
    job = run(recipe, runs, console)
    found = _compared(job, teacher)
    page, values = job.folder / f"{REPORT}.html", job.folder / f"{REPORT}.json"
    sections = [
        table_section(
            "Teacher and student", ("", "teacher", "student", ""), found.rows(), "; ".join(found.notes()) + "."
        ),
        preformatted(command(), "Again"),
    ]
    write_report(page, f"Distilled: {recipe.name}", sections)
    told = {"teacher": str(teacher), "student": student, "command": command(), **asdict(found)}
    write_whole(values, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    console.print(table_of(["", "teacher", "student", ""], [list(row) for row in found.rows()]))
    for name, said in (("report", f"{page}, {values}"), ("model", str(job.model)), ("again", command())):
        console.print(f"{name:<6} {said}", highlight=False, markup=False, soft_wrap=True)


def _recipe(
    student: str,
    teacher: Path,
    weights: dict[str, float | None],
    temperature: float,
    features: float,
    settings: list[str],
) -> Recipe:
    """The student's recipe with the teacher in it; of a checkpoint with that as the start, and lines from the teacher if it has none."""
    from glyphlet.errors import CompressionError
    from glyphlet.spec import load_values, with_settings
    from glyphlet.train.restore import restore_run

    checkpoint = Path(student).suffix == ".pt"
    if checkpoint:
        restored = restore_run(Path(student))
        charset = restored.model.codec.charset.to_dict()
        values = {**restored.recipe.dump(), "charset": charset, "start": {"path": student}}
    else:
        values = load_values(student)
    if not (values.get("data") or {}).get("train") and not any(
        s.startswith(("data.train=", "data=")) for s in settings
    ):
        values["data"] = _lines(teacher)
    if not values["data"]:
        raise CompressionError(
            f"neither {student} nor {teacher} names lines to train on",
            allowed="a student or a teacher of `glyphlet train`, or lines given with --set",
            next_step="give some: --set 'data.train=[labels.txt]'",
        )
    given = {name: value for name, value in weights.items() if value is not None}
    default = {"posteriors": 1.0, "sequence": 0.0} if checkpoint else {"posteriors": 0.0, "sequence": 1.0}
    learned = {**default, **given, "temperature": temperature, "features": features}
    values["teacher"] = {"path": str(teacher), **learned}
    return with_settings(values, settings, student)


def _lines(teacher: Path) -> dict[str, Any]:
    """The lines of the teacher's run, if it is one."""
    from glyphlet.runtime.shipped import model_path
    from glyphlet.train.restore import restore_run

    path = model_path(teacher)
    found: dict[str, Any] = {} if path.suffix == ".onnx" else restore_run(path).recipe.dump()["data"]
    return found


def _compared(job: Job, teacher: Path) -> Compared:
    """Both model files on the validation lines of the run."""
    import tempfile

    from glyphlet.compress.compared import compared
    from glyphlet.evaluate.lines import evaluate_lines
    from glyphlet.export.onnx import export_model
    from glyphlet.export.parity import PARITY_LINES
    from glyphlet.runtime.reader import Reader
    from glyphlet.runtime.shipped import model_path
    from glyphlet.train.restore import restore_run

    lines = restore_run(job.folder).validation_lines().some(PARITY_LINES)
    samples = [line.sample for line in lines]
    path = model_path(teacher)
    with tempfile.TemporaryDirectory() as folder, bars() as tell:
        if path.suffix != ".onnx":
            full, path = restore_run(path), Path(folder) / "teacher.onnx"
            sources = lines.sources()
            export_model(full.model, path, sources, name="teacher", training=full.facts, measured={})
        files = path, job.model
        shown = {name: partial(tell, name) for name in ("teacher", "student")}
        read = [
            evaluate_lines(Reader(file), samples, progress=partial(_tell, shown[name], len(samples)))
            for name, file in zip(shown, files, strict=True)
        ]
        return compared(files, read, int(sorted(lines.widths)[len(lines) // 2]))


def _tell(shown: Callable[[int, int], None], total: int, done: int) -> None:
    shown(done, total)
