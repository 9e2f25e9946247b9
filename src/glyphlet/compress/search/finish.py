"""The chosen candidate as files: a checkpoint to train on, the recipe of its whole training, and a model file that is measured."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glyphlet.compress.accuracy import Accuracy
from glyphlet.compress.cost import ROUNDS, shown
from glyphlet.compress.int8.quantize import LINES, quantize
from glyphlet.compress.search.entrants import Entrant
from glyphlet.compress.search.front import chosen
from glyphlet.compress.search.limits import QUANTIZED, Gauge
from glyphlet.compress.search.race import EMA, Race, averaged
from glyphlet.compress.search.state import State, Wish
from glyphlet.errors import CompressionError, ExportError
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.evaluate.scores import write_whole
from glyphlet.export.calibrate import calibrate_if_enough
from glyphlet.export.onnx import export_model
from glyphlet.runtime.reader import Reader
from glyphlet.spec import CharsetSpec, Recipe, StartSpec
from glyphlet.train.imported import save_weights
from glyphlet.train.restore import restore_run
from glyphlet.train.task import absolute_paths

FURTHER = {"schedule": "cosine", "warmup": 0.02, "ema": EMA, "entropy": 0.0, "patience": 0}
"""How weights that have learned something are trained on. A one-cycle schedule would first forget some of it while the rate rises, and
patience would stop it before the rate has fallen."""
COMPARED = 500
"""Validation lines on which the model file is compared with the trained model."""
BEST = "best"
"""Of which the names of the files are made: best.pt, best.yaml, best.onnx."""


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Args:
        name: of the chosen candidate.
        weights: how its file stores them.
        kb, ms: of its file, measured.
        parameters: how many it has.
        read: how its file reads the validation lines.
        met: whether it has the wanted accuracy.
        done: whether all was run that was planned; otherwise the time was over before.
        folder: where the files are.
    """

    name: str
    weights: str
    kb: float
    ms: float
    parameters: int
    read: Accuracy
    met: bool
    done: bool
    folder: Path

    @property
    def recipe(self) -> Path:
        """The recipe of the whole training."""
        return self.folder / f"{BEST}.yaml"

    @property
    def model(self) -> Path:
        """The model file of the weights so far."""
        return self.folder / f"{BEST}.onnx"

    def as_dict(self) -> dict[str, Any]:
        """Everything but where it is."""
        made = asdict(self)
        del made["folder"]
        return {**made, "word_accuracy": self.read.word, "cer": self.read.cer}


@dataclass(frozen=True)
class Finish:
    """Makes the chosen candidate ready.

    Args:
        race: has the lines, and the states of the candidates.
        gauge: measures its file.
        wish: what is wanted.
        folder: where the files are written.
    """

    race: Race
    gauge: Gauge
    wish: Wish
    folder: Path

    def of(self, state: State, done: bool) -> Found:
        """Choose, write, and measure the file. One that does not keep what was measured before is dropped, and another chosen.

        Raises:
            CompressionError: no candidate is left.
        """
        limits, least = self.wish.limits, self.wish.least
        for one in state.entrants:
            one.served = None
        written = ""
        while True:
            entrant = chosen(state.entrants, limits, least)
            if entrant is None:
                raise _nothing(state.entrants, self.wish)
            settled = entrant.served is not None  # its file was read with, and it is the best all the same
            if not settled or entrant.name != written:
                made, written = self._write(entrant, state.command), entrant.name
                if isinstance(made, str):
                    entrant.failed = made
                    continue
                kb, ms, read = made
                entrant.served = read
            if settled:
                met, parameters = least is None or read.word >= least, entrant.cost.parameters
                return Found(entrant.name, entrant.weights or "", kb, ms, parameters, read, met, done, self.folder)

    def _write(self, entrant: Entrant, command: str) -> tuple[float, float, Accuracy] | str:
        """The files of a candidate: kB, ms and accuracy of its model file, or what is wrong with it."""
        training = self.race.training(entrant)
        with averaged(training) as trained:
            model = copy.deepcopy(trained).cpu().float().eval()
        assert entrant.last
        recipe = self.whole_training(entrant)
        checkpoint, held = self.folder / f"{BEST}.pt", self.race.held()
        read = entrant.last.read
        save_weights(checkpoint, model, recipe.model_copy(update={"start": None}), read.lines, read.word)
        restored, path = restore_run(checkpoint), self.folder / f"{BEST}.onnx"
        facts = {**restored.facts, "train_lines": len(self.race.task.train), "updates": entrant.last.updates}
        some = held.some(COMPARED)
        try:
            quick = entrant.weights == QUANTIZED
            export_model(
                restored.model, path, some.sources(), trained=restored.read(some).texts, name=recipe.name,
                training=facts, measured=restored.measured, weights="float32" if quick else entrant.weights or "float32",
            )  # fmt: skip
            if quick:
                quantize(path, path, self.race.task.train.some(LINES).sources(), [line.sample for line in some])
        except (CompressionError, ExportError) as error:
            return error.problem
        write_whole(self.folder / f"{BEST}.yaml", f"# {command}\n{recipe.to_yaml()}")
        calibrate_if_enough(path, [line.sample for line in some])
        data = path.read_bytes()
        kb = len(data) / 1024
        ms = min(self.gauge.meter.milliseconds(data) for _ in range(ROUNDS))  # others make it slower, never faster
        limits = self.wish.limits
        for kind, value, most in (("kb", kb, limits.kb), ("ms", ms, limits.ms)):
            if most is not None and value > most:
                return f"its model file has {shown(kind, value)}"
        scores = evaluate_lines(Reader(path, calibrated=False), [line.sample for line in held]).scores
        return kb, ms, Accuracy(scores.lines, scores.correct_lines, scores.characters, scores.edits)

    def whole_training(self, entrant: Entrant) -> Recipe:
        """The recipe that takes a candidate to the end: its network, from its weights, stored as it must be, by the recipe's own plan."""
        recipe, task = self.race.task.recipe, self.race.task
        start = StartSpec(path=str((self.folder / f"{BEST}.pt").resolve()))
        changed = {
            "name": f"{recipe.name}-fit",
            "description": f"{entrant.name}, chosen by glyphlet fit for {self.wish.limits}.",
            "source": "",
            "published": {},
            "model": entrant.spec,
            "charset": CharsetSpec.model_validate(task.model.codec.charset.to_dict()),
            "train": recipe.train.model_copy(update={**FURTHER, "lr": entrant.rate}),
            "weights": entrant.weights,
            "start": start,
        }
        return absolute_paths(recipe.model_copy(update=changed))


def _spell(hours: float) -> str:
    return f"{hours:g} hours" if hours >= 0.01 else f"{3600 * hours:.2g} s"


def _nothing(entrants: Sequence[Entrant], wish: Wish) -> CompressionError:
    failed = [f"{entrant.name}: {entrant.failed}" for entrant in entrants if entrant.failed]
    if failed:
        return CompressionError(
            f"no candidate is left of {len(entrants)}; {'; '.join(failed[:3])}",
            allowed="lines that a network can learn, and limits that are not at the edge",
            next_step="look at the lines with glyphlet data check, or raise the limits a little",
        )
    return CompressionError(
        f"{_spell(wish.hours)} were over before any candidate was trained and read with",
        allowed="some minutes: a candidate needs to see some thousand lines",
        next_step=f"go on with the same command and --hours {max(0.1, 10 * wish.hours):g}",
    )


__all__ = ["BEST", "COMPARED", "Finish", "Found"]
