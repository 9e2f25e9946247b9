"""The main job: from a recipe to a model file that is measured and described.

    folder = new_run_folder(...)     runs/2026-11-21_14-03-27_digits/
    job = run(recipe, folder, ...)   lines, training, export, test, report

What a run folder holds:

    recipe.yaml            everything that decided the training, every path absolute
    log.csv, tensorboard/  the curves
    checkpoints/           last.pt, best.pt, epoch-0010.pt, ...
    model.onnx             the best weights as the one file that is served
    test.txt, test.json    what the model file reads on the test lines, and the figures
    start.onnx, check.json with `start.check`: the start as a model file, and how it and the new one read the old lines
    report.html            all of it, to look at

The test lines are read once, after everything is decided, and through the model file: what is measured is what is served.
"""

from __future__ import annotations

import contextlib
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from glyphlet.charset import describe
from glyphlet.data.check import CheckedLines
from glyphlet.data.lineset import LineSet, ListedLines
from glyphlet.data.open import open_lines
from glyphlet.decode.calibration import Calibration
from glyphlet.errors import CheckpointError, CompressionError, ImageError, TrainingError
from glyphlet.evaluate.curves import training_curves
from glyphlet.evaluate.figures import confusion_section, score_figures, score_section
from glyphlet.evaluate.gallery import gallery
from glyphlet.evaluate.lines import evaluate_lines, pictures
from glyphlet.evaluate.paired import compare, paired_section, paired_table
from glyphlet.evaluate.report import Section, key_figures, preformatted, write_report
from glyphlet.evaluate.scores import Evaluation, write_results, write_whole
from glyphlet.export.calibrate import calibrate_if_enough
from glyphlet.export.onnx import export_model
from glyphlet.export.parity import PARITY_LINES, ParityResult
from glyphlet.files import replace_file
from glyphlet.image import decode
from glyphlet.models.summary import count_parameters, multiply_adds
from glyphlet.runtime.bundle import open_model
from glyphlet.runtime.reader import Reader
from glyphlet.runtime.shipped import model_path
from glyphlet.spec import AnySource, Recipe, StartSpec, SynthSpec, load_recipe
from glyphlet.train.checkpoint import LAST
from glyphlet.train.log import model_summary, read_log
from glyphlet.train.loop import fit, make_fabric
from glyphlet.train.progress import Outcome
from glyphlet.train.restore import restore_run
from glyphlet.train.start import load_start
from glyphlet.train.task import Task, absolute_paths, load_task, read_or_render, start_from

REPORT = "report.html"
"""The last file that a job writes: where it stands, the job is done."""
LATEST = "latest"
"""A link beside the run folders that leads to the newest."""
START = "start.onnx"
"""The start of a fine-tuning as a model file."""
PICTURES = 24
"""Lines in each gallery of a report."""


@dataclass(frozen=True)
class Job:
    """What came of a main job.

    Args:
        folder: the run folder.
        outcome: how the training ended.
        model: the model file.
        parity: how the file was compared with the trained model.
        test: what it reads on the test lines; None without test lines.
        report: the HTML report.
        old: what the start and the new model read on the lines of `start.check`.
    """

    folder: Path
    outcome: Outcome
    model: Path
    parity: ParityResult
    test: Evaluation | None
    report: Path
    old: tuple[Evaluation, Evaluation] | None = None


def new_run_folder(root: Path, name: str) -> Path:
    """A new folder named after the time and the recipe; a number is added while the name is taken.

    Raises:
        TrainingError: it cannot be made.
    """
    stem = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{name}"
    for number in range(1, 1000):
        folder = root / (stem if number == 1 else f"{stem}_{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise TrainingError(
                f"the run folder {folder} cannot be made: {error.strerror}",
                allowed="a folder that can be written to",
                next_step="choose another with --runs",
            ) from error
        return folder
    raise TrainingError(f"{root} holds 999 runs of this second", next_step="choose another folder with --runs")


def resume_recipe(folder: Path) -> Recipe:
    """The recipe of a run folder.

    Raises:
        CheckpointError: it is not a run folder.
    """
    path = folder / "recipe.yaml"
    if not path.is_file():
        raise CheckpointError(
            f"{folder} is not a run folder: it has no recipe.yaml",
            allowed="a folder that `glyphlet train` made",
            next_step="check the path",
        )
    return load_recipe(path)


def run(recipe: Recipe, root: Path, console: Console, *, folder: Path | None = None) -> Job:
    """Train, export, test and report; a folder that was begun before is gone on with.

    Args:
        recipe: the settings.
        root: where a new run folder is made.
        console: where to print.
        folder: an existing run folder, to resume it or to put the run into.

    Raises:
        GlyphletError: see `errors`; what was trained so far is saved.
    """
    recipe = absolute_paths(recipe)
    fabric = make_fabric(recipe.train)
    if not fabric.is_global_zero:
        console = Console(quiet=True)
    torch.manual_seed(recipe.train.seed)  # before the model draws its first weights
    problems: list[str] = []
    with console.status("reading and checking lines") as status:
        task = load_task(
            recipe, lambda name, done, total: status.update(f"reading and checking {name}: {done:,} of {total:,}")
        )
        if isinstance(recipe.data.test, list):  # a misspelt path shows now, not after an hour
            problems = check_test_lines(recipe.data.test, task)
    if folder is None or not (folder / "checkpoints" / LAST).exists():
        start_from(task)
        if recipe.start and recipe.start.check:
            old_lines(recipe.start)
    for problem in problems:
        console.print(problem, style="yellow", highlight=False, markup=False, soft_wrap=True)
    if folder is None:  # the first process names it, the others are told
        folder = Path(fabric.broadcast(new_run_folder(root, recipe.name) if fabric.is_global_zero else ""))
    if fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "recipe.yaml", recipe.to_yaml())
        point_to(folder)
        introduce(task, folder, console)
        if recipe.start and recipe.start.check and not (folder / START).exists():
            export_start(recipe.start, folder)
    outcome = fit(task, folder, console, fabric)
    if not fabric.is_global_zero:
        raise SystemExit(0)
    console.print(
        f"{outcome.reason} after {outcome.epochs} epochs, {outcome.steps} updates, {outcome.seconds:.1f} s; "
        f"best epoch {outcome.best_epoch} with {outcome.best_accuracy:.4f} of the validation words",
        soft_wrap=True,
    )
    if outcome.best_accuracy == 0:
        console.print(
            f"not one validation line is read rightly: {outcome.steps:,} updates may be too few. Next: more train.epochs, or "
            "a smaller train.batch (docs/tutorial.md, part 4)",
            style="yellow", highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    return finish(task, outcome, console)


def check_test_lines(sources: list[AnySource], task: Task) -> list[str]:
    """Open the test lines that are read from files, and their images, and read no line.

    Returns:
        What should be known before the training: images that are also trained on, and with `unreadable: drop` those that
        cannot be read.

    Raises:
        LabelError, ImageError: one cannot be opened.
    """
    found = []
    files = [source for source in sources if not isinstance(source, SynthSpec)]
    lines = open_lines(files) if files else ListedLines([])
    names = []
    for number in range(len(lines)):
        try:
            sample = lines.sample(number)
            decode(sample.source, 1)
        except ImageError as error:
            if task.recipe.data.unreadable == "error":
                raise
            found.append(f"left out of the test: {error.problem} ({lines.origin(number)})")
            continue
        if isinstance(sample.source, Path):
            names.append(str(sample.source))
    # Images inside databases and archives have no name to go by; `glyphlet data check --test` compares the pictures.
    known = {str(s) for part in (task.train, task.validation) for s in _paths(part)} if names else set()
    shared = [name for name in names if name in known]
    if shared:
        found.append(
            f"{len(shared)} of {len(lines)} test images are also training or validation images ({shared[0]}, ...): "
            "the test will look better than it is"
        )
    return found


def _paths(lines: CheckedLines) -> Iterator[Path]:
    """The image files of lines, as far as they are files."""
    for index in lines.indices.tolist():
        source = lines.source.path(index)
        if source is not None:
            yield source


def old_lines(start: StartSpec, folder: Path | None = None) -> LineSet:
    """The lines of `start.check`; rendered ones have the characters of the start, which a run folder keeps."""
    kept = folder is not None and (folder / START).exists()
    charset = Reader(folder / START).metadata.charset if folder and kept else load_start(Path(start.path)).charset
    return read_or_render(start.check, charset, "test")


def export_start(start: StartSpec, folder: Path) -> None:
    """Write the start as a model file, so that it reads the old lines as the new model will.

    Raises:
        LabelError, ImageError: the old lines cannot be read; better known now than after the training.
    """
    path, lines = Path(start.path), old_lines(start)
    if path.suffix == ".onnx":
        replace_file(folder / START, path.read_bytes())
        return
    restored = restore_run(path)
    some = np.unique(np.linspace(0, len(lines) - 1, PARITY_LINES).astype(int)).tolist()
    export_model(
        restored.model, folder / START, [lines.sample(number).source for number in some],
        name=restored.recipe.name, training=restored.facts, measured=restored.measured,
    )  # fmt: skip


def _calibration_of(start: StartSpec | None) -> Calibration | None:
    """What the model file that a training takes whole says of its confidences; it may be gone by now."""
    path = model_path(start.path) if start and not start.only else None
    if path is None or path.suffix != ".onnx" or not path.is_file():
        return None
    return Calibration.of(open_model(path).metadata.calibration)


def check_old(start: StartSpec, folder: Path, model: Path, console: Console) -> tuple[Evaluation, Evaluation]:
    """Read the old lines with the start and with the new model; say what was forgotten, and write `check.json`."""
    lines, unreadable = old_lines(start, folder), list[ImageError]()
    before = evaluate_lines(Reader(folder / START), lines, on_error=unreadable.append)
    after = evaluate_lines(Reader(model), lines, on_error=lambda error: None)
    for error in unreadable:
        console.print(f"left out of the check: {error}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    figures = {
        "before": before.scores.as_dict(),
        "after": after.scores.as_dict(),
        "difference": compare(before, after).as_dict(),
    }
    write_whole(folder / "check.json", json.dumps(figures, ensure_ascii=False, indent=1))
    console.print(paired_table(before, after))
    return before, after


def point_to(folder: Path) -> None:
    """Let `latest` beside a run folder lead to it, where the file system has links."""
    folder = folder.resolve()  # it may have been named by the link itself
    link = folder.parent / LATEST
    with contextlib.suppress(OSError):
        if link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(folder.name, target_is_directory=True)


def introduce(task: Task, folder: Path, console: Console) -> None:
    """Say what will be trained on what."""
    for note in task.notes:
        console.print(note, style="yellow", highlight=False, markup=False, soft_wrap=True)
    for report in task.reports:
        for message in report.messages():
            console.print(f"left out: {message}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    widths = np.sort(task.train.widths if len(task.train) else task.validation.widths)
    console.print(model_summary(task.model, int(widths[len(widths) // 2])))
    charset = task.model.codec.charset
    console.print(
        (f"{len(task.train):,} training" if len(task.train) else "")
        + (" and " if len(task.train) and task.endless else "")
        + (f"{sum(map(len, task.endless)):,} new rendered lines an epoch" if task.endless else "")
        + f" and {len(task.validation):,} validation lines, {charset.size:,} characters: "
        + charset.text[:100] + ("..." if charset.size > 100 else ""),
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    invisible = [c for c in charset.characters if unicodedata.category(c) in ("Cc", "Cf")]
    if invisible:
        console.print(
            f"the charset holds characters that cannot be seen: {', '.join(map(describe, invisible[:5]))}; "
            "clean the labels if that is not meant",
            style="yellow", highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(f"run folder: {folder}", highlight=False, markup=False, soft_wrap=True)


def finish(task: Task, outcome: Outcome, console: Console) -> Job:
    """Export the best weights, read the test lines once, write the report."""
    folder, recipe, best = outcome.folder, task.recipe, restore_run(outcome.folder)
    path, compared = folder / "model.onnx", task.validation.some(PARITY_LINES)
    with console.status("exporting, and comparing the file with the trained model"):
        parity = export_model(
            best.model, path, compared.sources(),
            trained=best.read(compared).texts, name=recipe.name, training=best.facts, measured=best.measured,
            weights="float32" if recipe.weights == "quantized" else recipe.weights,
        )  # fmt: skip
    console.print(
        f"exported {path} ({path.stat().st_size / 1024:.1f} kB): {parity.summary()}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    if recipe.weights == "quantized":
        _quantize(task, path, compared, console)
    with console.status("calibrating the confidences"):
        told = calibrate_if_enough(path, [line.sample for line in compared], _calibration_of(recipe.start))
    console.print(told, highlight=False, markup=False, soft_wrap=True)
    test: Evaluation | None = None
    if recipe.data.test is not None:
        with console.status("reading the test lines"):
            lines: LineSet = read_or_render(recipe.data.test, best.model.codec.charset, "test")
            unreadable: list[ImageError] = []
            test = evaluate_lines(Reader(path), lines, on_error=unreadable.append)
        for error in unreadable:
            console.print(
                f"left out of the test: {error}", style="yellow", highlight=False, markup=False, soft_wrap=True
            )
        write_results(folder / "test.txt", test.results)
        write_whole(folder / "test.json", json.dumps(test.scores.as_dict(), ensure_ascii=False, indent=1))
    else:
        lines = ListedLines([line.sample for line in compared])
    old = check_old(recipe.start, folder, path, console) if recipe.start and recipe.start.check else None
    shown = test or evaluate_lines(Reader(path), lines)
    report = folder / REPORT
    write_report(
        report,
        f"Glyphlet: {recipe.name}",
        report_sections(task, outcome, path, shown, lines, tested=test is not None, old=old),
        f"{datetime.now():%Y-%m-%d %H:%M}, {outcome.reason}",
    )
    return Job(folder, outcome, path, parity, test, report, old)


def _quantize(task: Task, path: Path, validation: CheckedLines, console: Console) -> None:
    """Make the model file one that is computed in int8; it stays in float where that would cost too much."""
    from glyphlet.compress.int8.quantize import LINES, quantize

    try:
        with console.status("quantising, and measuring what that costs"):
            samples = [line.sample for line in validation]
            found = quantize(path, path, task.train.some(LINES).sources(), samples)
    except CompressionError as error:
        console.print(f"not quantised: {error}", style="yellow", highlight=False, markup=False, soft_wrap=True)
        return
    told = "; ".join(f"{name} {before} -> {after}" for name, before, after, _ in found.rows())
    console.print(f"quantised {path}: {told}", highlight=False, markup=False, soft_wrap=True)


def report_sections(
    task: Task,
    outcome: Outcome,
    path: Path,
    shown: Evaluation,
    lines: LineSet,
    *,
    tested: bool,
    old: tuple[Evaluation, Evaluation] | None = None,
) -> list[Section]:
    """The report of a run: figures, curves, lines that were read wrongly and rightly, confusions, recipe."""
    which = "test" if tested else "validation"
    widths = np.sort(task.validation.widths)
    width = int(widths[len(widths) // 2])
    costs: dict[str, str | tuple[str, str]] = {
        "Parameters": f"{count_parameters(task.model):,}",
        "Model file": (f"{path.stat().st_size / 1024:.1f} kB", f"{task.recipe.weights}, with charset and geometry"),
        "Multiply-adds": (f"{multiply_adds(task.model, width) / 1e6:.2f} M", f"for a line of {width} pixels"),
        "Training": (f"{outcome.seconds:.0f} s", f"{outcome.epochs} epochs, {outcome.steps} updates"),
    }
    right = [r for r in shown.results if r.text == r.truth]
    unsure = sorted(right, key=lambda r: r.confidence)[: PICTURES // 2]
    worst = shown.worst(PICTURES)
    errors = [gallery(pictures(worst, lines), f"Worst errors on the {which} lines")] if worst else []
    return [
        score_figures(shown.scores),
        key_figures(costs, "Cost"),
        *([paired_section(*old)] if old else []),
        training_curves(read_log(outcome.folder / "log.csv")),
        *errors,
        gallery(pictures(unsure, lines), f"Read rightly, with the least confidence ({which} lines)"),
        score_section(shown.scores),
        confusion_section(shown.scores),
        preformatted(task.recipe.to_yaml()),
    ]
