"""From a recipe to lines that are ready: read or rendered, checked, split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.charset import Charset
from glyphlet.data.check import CheckedLines, CheckReport, check_lines, enforce
from glyphlet.data.lineset import LineSet
from glyphlet.data.mix import JoinedLines
from glyphlet.data.open import open_lines
from glyphlet.data.prepare import Endless
from glyphlet.data.rendered import RenderedLines
from glyphlet.data.split import split_lines
from glyphlet.effects import build_effects
from glyphlet.errors import LabelError, RecipeError
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.runtime.shipped import model_path
from glyphlet.spec import AnySource, DataSpec, Recipe, ReplaySpec, SourceSpec, SynthSpec
from glyphlet.synth.render import RenderedSet
from glyphlet.train.frozen import freeze
from glyphlet.train.replay import joined, needed, rendered_anew
from glyphlet.train.settings import PATHS
from glyphlet.train.start import Begun, begin, load_start
from glyphlet.train.teacher import load_teacher

Progress = Callable[[str, int, int], None]
"""Called with what is checked, how many lines are done, and how many there are."""


def silent(name: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass
class Task:
    """What a training needs.

    Args:
        recipe: the settings.
        model: built, with weights drawn from the recipe's seed by the caller.
        train, validation: lines that passed the checks.
        reports: what the checks found.
        endless: lines that are rendered anew in every epoch.
        notes: what was recognised in the sources and should be known.
        begun: what the model took over from the start; None where it starts anew or was resumed.
        teacher: the model to learn from, if there is one.
    """

    recipe: Recipe
    model: Recognizer
    train: CheckedLines
    validation: CheckedLines
    reports: list[CheckReport]
    endless: list[Endless] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    begun: Begun | None = None
    teacher: Recognizer | None = None

    def taken(self) -> list[str]:
        """The names of the parameters in parts that are taken from a start."""
        start = self.recipe.start
        names = [name for name, _ in self.model.named_parameters()]
        return [name for name in names if start and (not start.only or name.partition(".")[0] in start.only)]


def start_from(task: Task) -> None:
    """Give the model of a task the weights of its start, if the recipe names one and this was not done before.

    Raises:
        CheckpointError: the start cannot be read.
        RecipeError: it does not fit the model, or what is wanted of it makes no sense.
    """
    start = task.recipe.start
    if start and task.begun is None:
        freeze(task.model, start.freeze)  # the training does it again; a misspelt name shows now
        task.begun = begin(task.model, load_start(Path(start.path)), start)
        task.notes += task.begun.notes


def listed(source: Sequence[AnySource] | SynthSpec | None) -> list[AnySource]:
    """The sources of a setting, which may be a single one."""
    return [source] if isinstance(source, SynthSpec) else list(source or [])


def read_or_render(source: Sequence[AnySource] | SynthSpec, charset: Charset | None, stream: str) -> JoinedLines:
    """The lines of files, rendered ones, or both.

    Args:
        source: paths, `SourceSpec`s and `SynthSpec`s, or one `SynthSpec`.
        charset: the characters to render; files do not need it.
        stream: keeps rendered test lines apart from rendered training lines of the same seed.

    Raises:
        LabelError: a file is no labelled lines.
        RecipeError: lines are to be rendered, and there is no charset.
    """
    parts: list[LineSet] = []
    weights = []
    for entry in listed(source):
        if isinstance(entry, SynthSpec):
            parts.append(RenderedLines(RenderedSet(entry, _needed(charset), stream)))
        else:
            parts.append(open_lines(entry))
        weights.append(entry.weight if isinstance(entry, SynthSpec | SourceSpec) else 1.0)
    return JoinedLines(parts, weights)


def _extended(charset: Charset, texts: Iterable[str]) -> Charset:
    """A charset with the characters of texts that it lacks at its end, in code point order."""
    more = "".join(sorted(charset.unknown(texts)))
    return Charset.from_text(charset.text + more, charset.half_width, charset.case)


def _needed(charset: Charset | None, problem: str = "rendered lines need a charset") -> Charset:
    if charset is None:
        raise RecipeError(
            problem,
            allowed="charset.name, charset.file or charset.text",
            next_step="add charset.name: alphanumeric to the recipe",
        )
    return charset


def absolute_paths(recipe: Recipe) -> Recipe:
    """The recipe with every path made absolute, so that it means the same in any working directory."""
    values = recipe.dump()
    data = values["data"]
    for key in ("train", "validation", "test"):
        if isinstance(data[key], list):
            data[key] = [_absolute(entry) for entry in data[key]]
        elif data[key] is not None:
            data[key] = _absolute(data[key])
    if recipe.start:
        values["start"]["path"] = _absolute(str(model_path(recipe.start.path)))
        values["start"]["check"] = _absolute(values["start"]["check"])
        if values["start"]["replay"]:
            values["start"]["replay"]["source"] = _absolute(values["start"]["replay"]["source"])
    if recipe.teacher:
        values["teacher"]["path"] = _absolute(str(model_path(recipe.teacher.path)))
    values["charset"] = _absolute(values["charset"])
    values["augment"] = _absolute(values["augment"])
    return Recipe.model_validate(values)


def _absolute(value: Any) -> Any:
    """A plain value of a recipe with its paths made absolute; a text stands for the path of a source."""
    if isinstance(value, str):
        return str(Path(value).resolve())
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, item in value.items():
        nested = isinstance(item, dict) or (isinstance(item, list) and any(isinstance(i, dict) for i in item))
        found[key] = _absolute(item) if (key in PATHS and item) or nested else item
    return found


def load_task(recipe: Recipe, progress: Progress = silent) -> Task:
    """Read or render the lines, check them, cut the validation part, and build the model.

    Raises:
        GlyphletError: a label file, an image, the charset or the recipe is at fault; see `errors`.
    """
    data = recipe.data
    sources = listed(data.train)
    if not sources:
        raise RecipeError(
            "the recipe names no training lines",
            allowed="label files or other sources, or settings for rendered lines",
            next_step="add them: --set 'data.train=[labels.txt]'",
        )
    build_effects(recipe.augment)  # the loader builds them again; a misspelt one shows now
    charset = recipe.charset.fixed()
    online = [entry for entry in sources if isinstance(entry, SynthSpec) and entry.endless]
    finite = [entry for entry in sources if entry not in online]
    lines = read_or_render(finite, charset, "train") if finite else None
    held = read_or_render(data.validation, charset, "validation") if data.validation else None
    if charset is None and online:
        _needed(charset)
    texts = (part.text(i) for part in (lines, held) if part is not None for i in range(len(part)))
    if recipe.start and recipe.start.extend:
        charset = _extended(_needed(charset, "start.extend needs a charset to extend"), texts)
    elif charset is None:
        charset = recipe.charset.resolve(texts)
    try:
        model = build(recipe.model, recipe.image, charset)
    except (TypeError, ValueError, RuntimeError) as error:  # raised by a layer of torch
        raise RecipeError(
            f"the model cannot be built: {error}",
            allowed="options of the kind and range of their defaults, see `glyphlet models`",
            next_step="correct the options under model in the recipe",
        ) from error
    teacher = load_teacher(recipe.teacher, model) if recipe.teacher else None
    endless = [Endless(RenderedSet(entry, charset, "train"), model.codec) for entry in online]
    checker = _Checker(data, model, progress)
    train, validation = _parts(lines, held, online, charset, checker)
    if recipe.start and recipe.start.replay:
        train = _replayed(recipe.start.replay, train, endless, checker)
    notes = [note for part in (lines, held) if part is not None for note in part.notes]
    return Task(recipe, model, train, validation, checker.reports, endless, notes, teacher=teacher)


@dataclass
class _Checker:
    """Checks parts of the lines after a recipe's policies, and keeps the reports."""

    data: DataSpec
    model: Recognizer
    progress: Progress
    reports: list[CheckReport] = field(default_factory=list)

    def __call__(
        self, lines: LineSet, name: str, indices: NDArray[np.int64] | None = None, *, drop: bool = False
    ) -> CheckedLines:
        """The usable lines of a set; raises for what the policies do not let pass, or drops what the model cannot write."""
        data, model = self.data, self.model
        count = len(lines) if indices is None else len(indices)
        checked, report = check_lines(
            lines, model.codec, model.geometry, model.steps, name,
            indices=indices, empty=data.empty,
            weights=lines.weights() if isinstance(lines, JoinedLines) else None,
            progress=lambda done: self.progress(name, done, count),
        )  # fmt: skip
        enforce(
            report,
            "drop" if drop else data.unknown,
            "drop" if drop else data.unalignable,
            data.unreadable,
            data.empty,
        )
        if not len(checked):
            raise LabelError(
                f"no {name} are left: {'; '.join(report.messages())}",
                allowed="at least one usable line",
                next_step="mend the lines that are named",
            )
        self.reports.append(report)
        return checked


def _parts(
    lines: JoinedLines | None,
    held: JoinedLines | None,
    online: list[SynthSpec],
    charset: Charset,
    check: _Checker,
) -> tuple[CheckedLines, CheckedLines]:
    """The training and the validation lines.

    Without validation lines of their own, they are cut from the lines that are read or rendered once; where there are
    none but endless ones, they are drawn from these, once, as a stream of their own.
    """
    data = check.data
    if lines is None:
        if held is None:
            held = JoinedLines([
                RenderedLines(RenderedSet(_share(entry, data.validation_share), charset, "validation")) for entry in online
            ])  # fmt: skip
        nothing = CheckedLines(held, check.model.codec, np.zeros(0, np.int64), np.zeros(0, np.int32))
        return nothing, check(held, "validation lines")
    if held is not None:
        return check(lines, "training lines"), check(held, "validation lines")
    first, second = split_lines(lines, data.validation_share, data.split_seed, data.validation_most)
    train = check(lines, "training lines", first)
    validation = check(lines, "validation lines", second)
    validation.weights = None  # each is validated once
    return train, validation


def _share(spec: SynthSpec, share: float) -> SynthSpec:
    return spec.model_copy(update={"count": max(1, round(spec.count * share))})


def _replayed(replay: ReplaySpec, train: CheckedLines, endless: list[Endless], check: _Checker) -> CheckedLines:
    """The training lines with old ones among them; those without end are added to the list."""
    count, charset = needed(replay, train, endless), train.codec.charset
    if isinstance(replay.source, SynthSpec) and replay.source.endless:
        endless.append(rendered_anew(replay, charset, count, train))
        return train
    return joined(train, check(read_or_render([replay.source], charset, "train"), "replay lines", drop=True), count)
