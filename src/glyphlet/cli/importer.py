"""`glyphlet import`: checkpoints of other projects to the one-file model, or to a checkpoint to fine-tune."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from glyphlet.charset import Charset
    from glyphlet.data.sample import Sample
    from glyphlet.metrics import Scores
    from glyphlet.models.importers import Imported, Origin


def import_(
    file: Annotated[Path, typer.Argument(help="A PyTorch checkpoint.", show_default=False)],
    origin: Annotated[
        str,
        typer.Option(
            "--from",
            help="The project that wrote it: micro-ocr, crnn-pytorch, chinese-crnn or crnn-model.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="The model file to write; a name in .pt: a checkpoint to train on from.",
            show_default=False,
        ),
    ],
    charset: Annotated[
        str | None,
        typer.Option(
            help="Its characters, in its order: a name, or a file with one character a line; by default those of "
            "micro-ocr or crnn-pytorch.",
            show_default=False,
        ),
    ] = None,
    lines: Annotated[
        list[Path] | None,
        typer.Option(
            help="Labelled lines of any format, to measure the model on and to compare file and model on.",
            show_default=False,
        ),
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option(
            help="Line images for the comparison of file and model; rendered ones by default.", show_default=False
        ),
    ] = None,
    recurrence: Annotated[
        str, typer.Option(help="micro-ocr: what a recurrent layer runs over: auto, time, or step (each step alone).")
    ] = "auto",
) -> None:
    """Write a checkpoint of another project as one model file.

    With --lines, it says how well the model reads them. A name in .pt makes a checkpoint to fine-tune from instead.
    """
    from glyphlet.export.calibrate import calibrate_if_enough
    from glyphlet.export.onnx import export_model
    from glyphlet.models.importers import IMPORTERS
    from glyphlet.models.summary import count_parameters
    from glyphlet.train.imported import save_imported

    _one_of("--from", origin, tuple(IMPORTERS))
    characters = _charset(charset, origin, IMPORTERS[origin])
    imported = _imported(file, characters, recurrence, origin, IMPORTERS[origin])
    samples = _samples(lines) if lines else []
    scores = _measured(imported, samples) if samples else None
    if output.suffix.lower() == ".pt":
        _no_images(images)
        known = (scores.lines, scores.word_accuracy) if scores else (0, 0.0)
        save_imported(output, imported.model, file.stem, origin, *known)
        typer.echo(f"{output} ({output.stat().st_size / 1024:.1f} kB): a checkpoint to train on from")
        return
    sources: list[Any] = [*(sample.source for sample in samples), *(images or [])]
    parity = export_model(
        imported.model,
        output,
        sources or _rendered(imported.model.codec.charset),
        name=file.stem,
        training={"imported_from": origin, "parameters": count_parameters(imported.model)},
        measured={
            "said_by_the_checkpoint": imported.measured,
            **({"lines": scores.lines, "word_accuracy": scores.word_accuracy, "cer": scores.cer} if scores else {}),
        },
    )
    told = f"\n{calibrate_if_enough(output, samples)}" if samples else ""
    typer.echo(
        f"{output} ({output.stat().st_size / 1024:.1f} kB): {parity.lines} lines read as the imported model reads them, "
        f"largest difference {parity.max_difference:.1e}{told}"
    )


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    from glyphlet.errors import RecipeError

    if value not in allowed:
        raise RecipeError(f"{option} is {value!r}", allowed=", ".join(allowed), next_step="correct it")


def _no_images(images: list[Path] | None) -> None:
    from glyphlet.errors import RecipeError

    if images:
        raise RecipeError(
            "--images is given, but a checkpoint is compared with nothing",
            allowed="--lines, to measure the model; --images for a model file",
            next_step="leave --images out, or name the output model.onnx",
        )


def _charset(given: str | None, name: str, origin: Origin) -> Charset:
    """The characters that were given, or those that the project has by default."""
    from glyphlet.charset import NAMED, Charset
    from glyphlet.errors import RecipeError

    given = given or origin.charset
    if not given:
        raise RecipeError(
            f"checkpoints of {name} need their characters, which they do not hold",
            allowed="the alphabet of its training, in its order, one character a line",
            next_step="write it to a file and give that with --charset",
        )
    return Charset.named(given) if given in NAMED else Charset.from_file(given)


def _imported(file: Path, characters: Charset, recurrence: str, name: str, origin: Origin) -> Imported:
    """The model, after what it was taken for has been said."""
    from glyphlet.errors import RecipeError

    _one_of("--recurrence", recurrence, ("auto", "time", "step"))
    if recurrence != "auto" and not origin.recurrence:
        raise RecipeError(
            f"--recurrence is {recurrence!r}, but the recurrent layers of {name} ran over time",
            allowed="auto",
            next_step="leave --recurrence out",
        )
    imported = origin.read(file, characters, *([recurrence] if origin.recurrence else []))
    for note in imported.notes:
        typer.echo(note)
    for key, figure in imported.measured.items():
        typer.echo(f"the checkpoint says of itself: {key} {figure:.4f}")
    return imported


def _samples(paths: list[Path]) -> list[Sample]:
    """Labelled lines; of many, as many as are compared, spread over all."""
    from glyphlet.data.open import open_lines
    from glyphlet.export.parity import PARITY_LINES

    opened = open_lines(paths)
    count = min(len(opened), PARITY_LINES)
    return [opened.sample(number * len(opened) // count) for number in range(count)]


def _measured(imported: Imported, samples: list[Sample]) -> Scores:
    """How well the model reads labelled lines; it is said, too."""
    from glyphlet.charset import unknown_report
    from glyphlet.evaluate.model import evaluate_model

    unknown = imported.model.codec.charset.unknown(sample.text for sample in samples)
    if unknown:
        report = unknown_report(unknown, "labels")
        typer.secho(f"glyphlet: {report}; these lines count as errors", err=True, fg="yellow")
    scores = evaluate_model(imported.model, samples).scores
    interval = scores.word_interval
    typer.echo(
        f"word accuracy {scores.word_accuracy:.4f} ({scores.correct_lines}/{scores.lines}; 95 % interval {interval.low:.4f} to "
        f"{interval.high:.4f}), CER {scores.cer:.4f}"
    )
    return scores


def _rendered(characters: Charset) -> list[Any]:
    """200 line images of those characters that the built-in font has."""
    from glyphlet.errors import RecipeError
    from glyphlet.spec import SynthSpec
    from glyphlet.synth.render import render_set

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the comparison does not need every character
            return [line.image for line in render_set(SynthSpec(count=200, uncovered="drop"), characters, "test")]
    except RecipeError as error:
        raise RecipeError(
            "no lines can be rendered for the comparison: the built-in font has none of the characters",
            allowed="labelled lines or line images of your own",
            next_step="give some with --lines LABELS, or with --images IMAGE, which may be repeated",
        ) from error
