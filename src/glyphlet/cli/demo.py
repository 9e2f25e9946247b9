"""`glyphlet demo`: the whole way, from an empty folder to a reader."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def demo(
    folder: Annotated[Path, typer.Option("-o", "--output", help="Where everything is written.")] = Path("demo"),
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a value of the recipe `demo`.", show_default=False)
    ] = None,
) -> None:
    """Render lines, train the micro network on them, export one file, read with it, and write a report.

    Takes less than a minute on two cores. The last line is the word accuracy on 500 lines that were read once.
    """
    from functools import partial

    from rich.console import Console
    from rich.progress import Progress

    from glyphlet.errors import RecipeError
    from glyphlet.job import run
    from glyphlet.runtime.reader import Reader
    from glyphlet.spec import Recipe, SynthSpec, load_recipe
    from glyphlet.synth.dataset import write_set

    recipe = load_recipe("demo", set_ or [])
    if recipe.data.test is None:
        raise RecipeError("the demonstration needs test lines", allowed="data.test", next_step="leave it as it is")
    charset = recipe.charset.fixed()
    console = Console()
    values = recipe.dump()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for stream in ("train", "test"):
            spec = getattr(recipe.data, stream)
            if not isinstance(spec, SynthSpec) or charset is None:
                continue
            bar = progress.add_task(f"rendering {spec.count} {stream} lines", total=spec.count)
            labels = write_set(
                spec, charset, folder / stream, stream,
                progress=partial(_advance, progress, bar), overwrite=True,
            )  # fmt: skip
            values["data"][stream] = [str(labels)]
            console.print(
                f"rendered {spec.count} {stream} lines: {labels}", highlight=False, markup=False, soft_wrap=True
            )
    job = run(Recipe.model_validate(values), folder / "runs", console)
    assert job.test is not None
    reader = Reader(job.model)
    console.print(f"\nreading with {job.model}, without torch:", highlight=False, markup=False, soft_wrap=True)
    for result in job.test.results[:8]:
        reading = reader.read_one(result.path)
        console.print(
            f"  {Path(result.path).name}  read {reading.text!r}  confidence {reading.confidence:.4f}  truth {result.truth!r}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(f"\nreport {job.report}\nmodel  {job.model}", highlight=False, markup=False, soft_wrap=True)
    model, images = (shlex.quote(str(p)) for p in (job.model, Path(job.test.results[0].path).parent))
    program = "glyphlet" if shutil.which("glyphlet") else shlex.quote(str(Path(sys.executable).with_name("glyphlet")))
    console.print(f"try    {program} read -m {model} {images}", highlight=False, markup=False, soft_wrap=True)
    scores = job.test.scores
    console.print(f"word accuracy {scores.word_accuracy:.4f} ({scores.correct_lines}/{scores.lines})", highlight=False)
    if scores.correct_lines < scores.lines:
        raise typer.Exit(1)


def _advance(progress: Progress, bar: TaskID, done: int, total: int) -> None:
    progress.update(bar, completed=done, total=total)
