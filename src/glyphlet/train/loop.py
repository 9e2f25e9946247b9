"""The training loop, straight-line, on Lightning Fabric (device, precision, several processes).

    fit(task, folder, ...)    trains until done, stopped or interrupted; goes on when the folder has a checkpoint

Everything that decides the next update is in the checkpoint or is a pure function of the update's number: weights,
optimiser, random states, the position inside the epoch, the sums for the report. So a resumed training equals the
uninterrupted one bit for bit on a CPU (with the same number of threads).
"""

from __future__ import annotations

import math
import shlex
import time
import warnings
from contextlib import closing, nullcontext
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from rich.console import Console

from glyphlet.data.loader import Batch, LineLoader, Share, choose_workers
from glyphlet.errors import CheckpointError, Interrupted, RecipeError, TrainingError
from glyphlet.models.head import Labels
from glyphlet.models.recognizer import Recognizer
from glyphlet.spec import TrainSpec
from glyphlet.train.checkpoint import BEST, LAST, load_checkpoint, random_state, restore_random, save_checkpoint
from glyphlet.train.frozen import freeze, norms, train_mode
from glyphlet.train.guard import alone, signals
from glyphlet.train.log import EpochRow, RunLog
from glyphlet.train.norm import Presence, share_norms
from glyphlet.train.optim import Average, Schedule, build_optimizer
from glyphlet.train.parallel import Sums, launch
from glyphlet.train.progress import Outcome, Progress, lines_digest
from glyphlet.train.pull import Pull
from glyphlet.train.settings import check_unchanged
from glyphlet.train.task import Task, start_from
from glyphlet.train.teacher import Teaching
from glyphlet.train.validate import Validation, paths_of, validate


def make_fabric(spec: TrainSpec) -> Fabric:
    """Fabric for the device, precision and number of processes of a recipe.

    Raises:
        RecipeError: this machine has no such accelerator, or it cannot compute with that precision.
    """
    if spec.threads:
        torch.set_num_threads(spec.threads)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*AMP with fp16 is not supported on CPU")
            fabric = launch(spec)
        if fabric.device.type == "cpu" and spec.precision == "16-mixed":  # Fabric would take bfloat16, and only warn
            raise ValueError("a CPU has no float16")
    except Exception as error:  # Fabric raises many kinds
        raise RecipeError(
            f"train.accelerator {spec.accelerator!r}, devices {spec.devices!r}, precision {spec.precision!r}: {error}",
            allowed="auto, cpu, cuda or mps, as this machine has them; 16-mixed needs a GPU, bf16-mixed does not",
            next_step="train with --set train.accelerator=cpu --set train.precision=32-true",
        ) from error
    return fabric


class Training:
    """A training in progress: the model, its optimiser, its data, and where it stands."""

    def __init__(self, task: Task, folder: Path, fabric: Fabric) -> None:
        self.spec = task.recipe.train
        self.task = task
        self.folder = folder
        self.fabric = fabric
        self.model: Recognizer = cast(Any, task.model).to(memory_format=torch.channels_last)
        spec, start, effects = self.spec, task.recipe.start, task.recipe.augment
        self.presence, shared = Presence(), fabric.world_size > 1 and self.spec.sync_norm
        if shared:
            share_norms(self.model, self.presence)
        self.frozen = freeze(self.model, start.freeze) if start else []
        if start and start.keep_norm:
            self.frozen += norms(self.model, start.only or self.model.parts())
        keep_weight = start.keep_weight if start else 0.0
        undecayed = set(task.taken()) if keep_weight else set()
        self.wrapped, self.optimizer = fabric.setup(self.model, build_optimizer(self.model, spec, undecayed))
        self.average = Average(self.model, spec.ema) if spec.ema else None
        self.pull = Pull(self.model, task.begun.anchors if task.begun else {}, keep_weight)
        self.begun = task.begun.facts() if task.begun else None
        self.teaching = self._teaching(task)
        self.sums = Sums(self.model, fabric)
        self.share = Share(fabric.global_rank, fabric.world_size, self.sums.arrays, shared)
        busy, here = bool(effects or task.endless), fabric.world_size
        threads = torch.get_num_threads() if fabric.device.type == "cpu" else 1
        self.loader = LineLoader(
            task.train, task.recipe.image, batch=spec.batch, seed=spec.seed, cache_mb=spec.cache_mb // 2,
            workers=choose_workers(None, busy, threads * here) // here if spec.workers == "auto" else spec.workers,
            effects=effects, endless=task.endless, steps=task.model.steps,
        )  # fmt: skip
        self.validation = LineLoader(task.validation, task.recipe.image, batch=spec.batch, cache_mb=spec.cache_mb // 2)
        self.schedule = Schedule(spec, -(-len(self.loader) // spec.accumulate))
        self.progress = Progress()
        self.digest = lines_digest(task)

    def _teaching(self, task: Task) -> Teaching | None:
        """What the teacher adds, if the recipe has one."""
        if not (task.recipe.teacher and task.teacher):
            return None
        return Teaching(task.recipe.teacher, task.teacher.to(self.fabric.device), self.model)

    # -- checkpoints ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint holds; all processes must ask for it together."""
        charset = self.model.codec.charset
        first, *others = self.sums.objects(random_state())
        state = {
            "recipe": self.task.recipe.dump(),
            "charset": charset.to_dict(),
            "lines": {"train": len(self.task.train), "validation": len(self.task.validation), "digest": self.digest},
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "random": first,
            "progress": asdict(self.progress),
        }
        if others:
            state["random_others"] = others
        if self.average:
            state["average"] = self.average.weights
        if self.pull:
            state["anchors"] = self.pull.state()
        if self.begun:
            state["start"] = self.begun
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where a checkpoint was written.

        Raises:
            CheckpointError: it belongs to another model or another charset, or settings have changed.
        """
        check_unchanged(state["recipe"], self.task.recipe.dump())
        charset = self.model.codec.charset
        same = charset.to_dict() == state["charset"]
        if not same or state["lines"]["digest"] != self.digest:
            # Another set would be split elsewhere, and validation lines of before would be trained on.
            raise CheckpointError(
                "the lines of this run have changed: its checkpoint knows " + ("others" if same else "another charset"),
                allowed="the same label files as when the run was started",
                next_step="put them back, or start a new run",
            )
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise CheckpointError(
                f"the checkpoint of this run is of another model: {' '.join(str(error).split())[:200]}",
                allowed="the recipe.yaml that the run was started with",
                next_step="put it back, or start a new run",
            ) from error
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average:
            self.average.load(state["average"])
        self.pull.load(state.get("anchors", {}))
        self.begun = state.get("start")
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        self.progress = Progress(**state["progress"])
        states = [state["random"], *state.get("random_others", [])]
        if self.fabric.global_rank < len(states):
            restore_random(states[self.fabric.global_rank])
        else:
            self.apart()

    def apart(self) -> None:
        """Let each process but the first draw random numbers of its own: what dropout drops must differ."""
        if self.fabric.global_rank:
            torch.manual_seed(hash((self.spec.seed, self.fabric.global_rank, self.progress.step)) % 2**63)

    def save(self, *names: str) -> None:
        """Write the state to files in the run's checkpoint folder: the first process writes, all take part."""
        self.write(self.state(), *names)

    def write(self, state: dict[str, Any], *names: str) -> None:
        """Write a state to files in the run's checkpoint folder (the first process only)."""
        if self.fabric.is_global_zero:
            for name in names:
                save_checkpoint(self.folder / "checkpoints" / name, state)

    # -- one epoch --------------------------------------------------------------------------------------------------

    def update(self, batches: list[Batch]) -> float:
        """One step of the optimiser; returns the mean loss of a line, the confidence penalty taken off.

        The gradients of the batches, each of one width, are added up with the weight of their lines, and so are those
        of the other processes.

        Args:
            batches: of this process, which may have none in this update.
        """
        progress = self.progress
        self.schedule.set(self.optimizer, progress.step)
        entropy = self.schedule.entropy(progress.step)
        lines = sum(len(batch.texts) for batch in batches)
        total = round(self.sums.of([lines])[0])
        head, value, right, refused = self.model.head, 0.0, 0, None
        self.optimizer.zero_grad()
        for batch in batches:
            share = len(batch.texts) / total
            images, labels = self._present(batch)
            images = images.to(self.fabric.device)
            output = self.wrapped(images, labels if head.guided else None)
            loss = head.loss(output, labels)
            value += share * loss.item()
            if not math.isfinite(loss.item()):
                refused = batch  # and on: the other processes wait for this one at every batch
            penalty = entropy * head.entropy(output, labels) if entropy else 0.0
            taught = self._taught(images, output, labels)
            self.fabric.backward((loss - penalty + taught) * share)
            right += self._right(head.logits(output).detach(), batch) if batch.texts else 0
        value, right_sum = self.sums.of([value, right])
        if not math.isfinite(value):
            self._refuse(value, refused)
        if self.pull:
            self.fabric.backward(self.pull.loss() / self.fabric.world_size)
        self.sums.gradients(lines / total)
        if self.spec.clip:
            self.fabric.clip_gradients(self.wrapped, self.optimizer, max_norm=self.spec.clip, error_if_nonfinite=False)
        self.optimizer.step()
        if self.average:
            self.average.update(progress.step + 1)
        progress.loss_sum += value * total
        progress.right += round(right_sum)
        progress.lines += total
        return value

    def _taught(self, images: torch.Tensor, output: Any, labels: Labels) -> torch.Tensor | float:
        """What the teacher adds to the loss."""
        if self.teaching is None:
            return 0.0
        with self.fabric.autocast():
            return self.teaching.loss(self.wrapped, images, output, labels)

    def _present(self, batch: Batch) -> tuple[torch.Tensor, list[list[int]]]:
        """Images and labels of a batch; where the other processes alone have lines, a stand-in that does not count."""
        self.presence.real = bool(batch.texts)
        if batch.texts:
            return batch.images, batch.labels
        return batch.images.new_zeros(1, *batch.images.shape[1:]), [[1]]

    def _right(self, logits: torch.Tensor, batch: Batch) -> int:
        """The number of lines that are read rightly."""
        codec = self.model.codec
        return sum(codec.decode(path) == text for path, text in zip(paths_of(logits), batch.texts, strict=True))

    def _refuse(self, value: float, batch: Batch | None) -> None:
        shown = list(zip(batch.texts, batch.numbers, strict=True))[:3] if batch else []
        texts = ", ".join(f"{text!r} ({self.loader.origin(number)})" for text, number in shown)
        texts = max(self.sums.objects(texts))  # of the process that has them
        raise TrainingError(
            f"the loss is {value} at update {self.progress.step} of epoch {self.progress.epoch + 1}, "
            f"with learning rate {self.schedule.rate(self.progress.step):.2e}, on lines such as {texts}",
            allowed="a finite loss",
            next_step=f"lower train.lr or set train.clip, then start again; the last good state is in {self.folder}",
        )

    def train_epoch(self, log: RunLog, caught: list[int]) -> None:
        """The rest of the running epoch; saves and raises `Interrupted` when a signal was caught."""
        progress = self.progress
        begin, waited = time.perf_counter(), self.loader.waited
        before = progress.epoch_seconds, progress.waited
        train_mode(self.wrapped, self.frozen)
        given = self.loader.epoch(progress.epoch, progress.batch, self.share)
        while taken := list(islice(given, self.spec.accumulate)):
            loss = self.update([batch for batches in taken for batch in batches])
            progress.batch += len(taken)
            progress.step += 1
            progress.epoch_seconds = before[0] + time.perf_counter() - begin
            progress.waited = before[1] + self.loader.waited - waited
            log.batch(progress.epoch + 1, progress.step, loss)
            if number := self._agreed(caught):
                self.save(LAST)
                raise self._interrupted(number)

    def _agreed(self, caught: list[int]) -> int:
        """The signal that some process has caught, or 0: all must stop at the same update, or the others would wait."""
        return self.sums.most(caught[0] if caught else 0)

    def _interrupted(self, number: int) -> Interrupted:
        return Interrupted(
            f"interrupted in epoch {self.progress.epoch + 1} after {self.progress.step} updates; everything is saved",
            number,
            next_step=f"go on with `glyphlet train --resume {shlex.quote(str(self.folder))}`",
        )

    def _folder_gone(self) -> TrainingError:
        last = shlex.quote(str(self.folder / "checkpoints" / LAST))
        return TrainingError(
            f"the run folder {self.folder} was deleted or moved while it was trained in",
            allowed="a run folder that stays where it is",
            next_step=f"save the weights of this epoch with `glyphlet export {last} -o model.onnx`",
        )

    def end_epoch(self, log: RunLog) -> None:
        """Validate, report, keep checkpoints, and decide whether to go on."""
        progress, spec = self.progress, self.spec
        begin = time.perf_counter()
        result = self._validated()
        loss_sum, right, lines = progress.loss_sum, progress.right, progress.lines
        accuracy = result.scores.word_accuracy
        seconds, waited = progress.epoch_seconds, progress.waited
        self.progress = progress = replace(
            progress,
            epoch=progress.epoch + 1,
            batch=0, loss_sum=0.0, right=0, lines=0, epoch_seconds=0.0, waited=0.0,
            seconds=progress.seconds + seconds + time.perf_counter() - begin,
        )  # fmt: skip
        row = EpochRow(
            progress.epoch, progress.step, self.schedule.rate(progress.step - 1), loss_sum / lines, result.loss,
            right / lines, accuracy, result.scores.cer, lines / seconds, waited / seconds, progress.seconds,
        )  # fmt: skip
        best = (accuracy, -result.loss) > (progress.best_accuracy, -progress.best_loss)
        if best:
            progress.best_epoch, progress.best_accuracy, progress.best_loss = progress.epoch, accuracy, result.loss
        # While the penalty acts, the outputs are broad on purpose: a model that stopped there would seem unsure.
        settled = self.schedule.entropy(progress.step) == 0
        progress.at_target = progress.at_target + 1 if spec.target and settled and accuracy >= spec.target else 0
        progress.finished = self._reason()
        kept = [f"epoch-{progress.epoch:04d}.pt"] if spec.keep_every and progress.epoch % spec.keep_every == 0 else []
        state = self.state()
        if not self.fabric.is_global_zero:
            return
        try:
            log.csv.stat()  # saving makes the folder anew, if it is gone
            self.write(state, LAST, *([BEST] if best else []), *kept)
            log.epoch(row, result.samples, best)
        except FileNotFoundError as error:
            self.write(state, LAST)
            raise self._folder_gone() from error

    def _validated(self) -> Validation:
        """How the model reads the validation lines, with its averaged weights if there are any.

        The first process reads them and tells the others, so that all decide alike.
        """
        result = None
        if self.fabric.is_global_zero:
            if self.average:
                self.average.swap()
            try:
                result = validate(self.wrapped, self.model.head, self.validation, self.fabric.device, self.spec.samples)
            finally:
                if self.average:
                    self.average.swap()
        return cast(Validation, self.fabric.broadcast(result))

    def _reason(self) -> str:
        """Why to stop after this epoch; empty to go on."""
        spec, progress = self.spec, self.progress
        if spec.target and progress.at_target >= spec.target_epochs:
            return "target reached"
        if progress.epoch >= spec.epochs:
            return "all epochs done"
        if spec.patience and progress.epoch - progress.best_epoch >= spec.patience:
            return f"no better result in {spec.patience} epochs"
        return ""

    def outcome(self) -> Outcome:
        """How the training ended."""
        p = self.progress
        return Outcome(self.folder, p.finished, p.epoch, p.step, p.best_epoch, p.best_accuracy, p.seconds)


def fit(task: Task, folder: Path, console: Console, fabric: Fabric | None = None) -> Outcome:
    """Train until done; go on from the folder's last checkpoint when it has one.

    Args:
        task: lines and a model with its first weights.
        folder: the run folder; checkpoints, `log.csv` and TensorBoard events are written there.
        console: where to print.
        fabric: device, precision and processes; made from the recipe by default.

    A new training with a `start` takes its weights, if the caller has not seen to it with `start_from`.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
        TrainingError: the loss is not finite, a file cannot be written, or another process trains in the folder.
        CheckpointError: the last checkpoint is damaged, of another model or of other lines.
    """
    fabric = fabric or make_fabric(task.recipe.train)
    if not (folder / "checkpoints" / LAST).exists():
        start_from(task)
    training = Training(task, folder, fabric)
    with alone(folder) if training.fabric.is_global_zero else nullcontext():
        return _fit(training, console)


def _fit(training: Training, console: Console) -> Outcome:
    folder = training.folder
    last = folder / "checkpoints" / LAST
    resumed = last.exists()
    training.fabric.barrier()  # every process has looked before the first one writes
    if resumed:
        training.restore(load_checkpoint(last))
    else:
        training.apart()
        training.save(LAST)  # before the first update: a full disk or a wrong folder shows now, not after an hour
    if training.progress.finished:
        return training.outcome()
    others = not training.fabric.is_global_zero
    log = RunLog(folder, console, training.spec.epochs, training.progress.epoch, quiet=others)
    with signals() as caught, log.live(training.schedule.total, training.progress.step), closing(training.loader):
        while not training.progress.finished:
            training.train_epoch(log, caught)
            training.end_epoch(log)
            if not training.progress.finished and (number := training._agreed(caught)):
                raise training._interrupted(number)
    return training.outcome()
