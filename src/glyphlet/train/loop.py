"""The training loop, straight-line, on Lightning Fabric (device, precision, several processes).

    fit(task, folder, ...)    trains until done, stopped or interrupted; goes on when the folder has a checkpoint

Everything that decides the next update is in the checkpoint or is a pure function of the update's number: weights,
optimiser, random states, the position inside the epoch, the sums for the report. So a resumed training equals the
uninterrupted one bit for bit on a CPU (with the same number of threads).
"""

from __future__ import annotations

import hashlib
import math
import shlex
import time
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from rich.console import Console

from glyphlet.data.loader import Batch, LineLoader, choose_workers
from glyphlet.errors import CheckpointError, Interrupted, RecipeError, TrainingError
from glyphlet.models.recognizer import Recognizer
from glyphlet.spec import TrainSpec
from glyphlet.train.checkpoint import load_checkpoint, random_state, restore_random, save_checkpoint
from glyphlet.train.guard import alone, signals
from glyphlet.train.log import EpochRow, RunLog
from glyphlet.train.optim import Schedule, build_optimizer
from glyphlet.train.task import Task
from glyphlet.train.validate import paths_of, validate

LAST, BEST = "last.pt", "best.pt"


@dataclass
class Progress:
    """Where a training stands. Sums are over the running epoch."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    right: int = 0
    lines: int = 0
    epoch_seconds: float = 0.0
    waited: float = 0.0
    seconds: float = 0.0
    best_epoch: int = 0
    best_accuracy: float = -1.0
    best_loss: float = math.inf
    at_target: int = 0
    finished: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Args:
        folder: the run folder.
        reason: why it ended: `all epochs done`, `target reached`, `no better result`.
        epochs, steps: how many were made.
        best_epoch: the epoch whose weights are in `best.pt`.
        best_accuracy: its word accuracy on the validation lines.
        seconds: training time, validation included.
    """

    folder: Path
    reason: str
    epochs: int
    steps: int
    best_epoch: int
    best_accuracy: float
    seconds: float


def make_fabric(spec: TrainSpec) -> Fabric:
    """Fabric for the device, precision and number of processes of a recipe.

    Raises:
        RecipeError: this machine has no such accelerator, or it cannot compute with that precision.
    """
    if spec.threads:
        torch.set_num_threads(spec.threads)
    try:
        fabric = Fabric(accelerator=spec.accelerator, devices=spec.devices, precision=spec.precision)
        fabric.launch()
    except Exception as error:  # Fabric raises many kinds
        raise RecipeError(
            f"train.accelerator {spec.accelerator!r}, devices {spec.devices!r}, precision {spec.precision!r}: {error}",
            allowed="auto, cpu, cuda or mps, as this machine has them; 16-mixed needs a GPU",
            next_step="train with --set train.accelerator=cpu --set train.precision=32-true",
        ) from error
    return fabric


def lines_digest(task: Task) -> str:
    """SHA-256 over the lines in order: which are trained on and which validate, their texts and widths."""
    digest = hashlib.sha256()
    for part in (task.train, task.validation):
        for index, width in zip(part.indices, part.widths, strict=True):
            digest.update(f"{part.source.text(int(index))}\t{width}\n".encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()


class Training:
    """A training in progress: the model, its optimiser, its data, and where it stands."""

    def __init__(self, task: Task, folder: Path, fabric: Fabric) -> None:
        self.spec = task.recipe.train
        self.task = task
        self.folder = folder
        self.fabric = fabric
        self.model: Recognizer = cast(Any, task.model).to(memory_format=torch.channels_last)
        self.wrapped, self.optimizer = fabric.setup(self.model, build_optimizer(self.model, self.spec))
        spec, effects = self.spec, task.recipe.augment
        busy = bool(effects or task.endless)
        threads = torch.get_num_threads() if fabric.device.type == "cpu" else 1
        self.loader = LineLoader(
            task.train, task.recipe.image, batch=spec.batch, seed=spec.seed, cache_mb=spec.cache_mb // 2,
            workers=choose_workers(None if spec.workers == "auto" else spec.workers, busy, threads),
            effects=effects, endless=task.endless, steps=task.model.steps,
        )  # fmt: skip
        self.validation = LineLoader(task.validation, task.recipe.image, batch=spec.batch, cache_mb=spec.cache_mb // 2)
        self.schedule = Schedule(self.spec, self.loader.updates(ranks=fabric.world_size))
        self.progress = Progress()
        self.digest = lines_digest(task)

    # -- checkpoints ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint holds."""
        charset = self.model.codec.charset
        return {
            "recipe": self.task.recipe.dump(),
            "charset": charset.to_dict(),
            "lines": {"train": len(self.task.train), "validation": len(self.task.validation), "digest": self.digest},
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "random": random_state(),
            "progress": asdict(self.progress),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where a checkpoint was written.

        Raises:
            CheckpointError: it belongs to another model or another charset.
        """
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
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        restore_random(state["random"])
        self.progress = Progress(**state["progress"])

    def save(self, *names: str) -> None:
        """Write the state to files in the run's checkpoint folder (the first process only)."""
        if self.fabric.is_global_zero:
            state = self.state()
            for name in names:
                save_checkpoint(self.folder / "checkpoints" / name, state)

    # -- one epoch --------------------------------------------------------------------------------------------------

    def update(self, batches: list[Batch]) -> float:
        """One step of the optimiser; returns the mean loss of a line, the confidence penalty taken off.

        The gradients of the batches, each of one width, are added up with the weight of their lines.
        """
        progress = self.progress
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(progress.step)
        entropy = self.schedule.entropy(progress.step)
        total = sum(len(batch.texts) for batch in batches)
        head, value = self.model.head, 0.0
        self.optimizer.zero_grad()
        for number, batch in enumerate(batches):
            share = len(batch.texts) / total
            with self.fabric.no_backward_sync(self.wrapped, enabled=number + 1 < len(batches)):
                output = self.wrapped(batch.images.to(self.fabric.device), batch.labels if head.guided else None)
                loss = head.loss(output, batch.labels)
                if not math.isfinite(loss.item()):
                    self._refuse(loss.item(), batch)
                penalty = entropy * head.entropy(output, batch.labels) if entropy else 0.0
                self.fabric.backward((loss - penalty) * share)
            value += share * loss.item()
            self._count(head.logits(output).detach(), batch)
        if self.spec.clip:
            self.fabric.clip_gradients(self.wrapped, self.optimizer, max_norm=self.spec.clip, error_if_nonfinite=False)
        self.optimizer.step()
        progress.loss_sum += value * total
        progress.lines += total
        return value

    def _count(self, logits: torch.Tensor, batch: Batch) -> None:
        """Count the lines that are read rightly."""
        codec = self.model.codec
        self.progress.right += sum(
            codec.decode(path) == text for path, text in zip(paths_of(logits), batch.texts, strict=True)
        )

    def _refuse(self, value: float, batch: Batch) -> None:
        shown = list(zip(batch.texts, batch.numbers, strict=True))[:3]
        texts = ", ".join(f"{text!r} ({self.loader.origin(number)})" for text, number in shown)
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
        fabric = self.fabric
        self.wrapped.train()
        for batches in self.loader.epoch(progress.epoch, progress.batch, fabric.global_rank, fabric.world_size):
            loss = self.update(batches)
            progress.batch += 1
            progress.step += 1
            progress.epoch_seconds = before[0] + time.perf_counter() - begin
            progress.waited = before[1] + self.loader.waited - waited
            log.batch(progress.epoch + 1, progress.step, loss)
            if number := self._agreed(caught):
                self.save(LAST)
                raise self._interrupted(number)

    def _agreed(self, caught: list[int]) -> int:
        """The signal that some process has caught, or 0: all must stop at the same update, or the others would wait."""
        number = caught[0] if caught else 0
        if self.fabric.world_size == 1:
            return number
        numbers = self.fabric.all_gather(torch.tensor([number], device=self.fabric.device))
        return int(cast(torch.Tensor, numbers).max())

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
        result = validate(self.wrapped, self.model.head, self.validation, self.fabric.device, spec.samples)
        loss_sum, right, lines = self._reduced()
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
        if not self.fabric.is_global_zero:
            return
        try:
            log.csv.stat()  # saving makes the folder anew, if it is gone
            self.save(LAST, *([BEST] if best else []), *kept)
            log.epoch(row, result.samples, best)
        except FileNotFoundError as error:
            self.save(LAST)
            raise self._folder_gone() from error

    def _reduced(self) -> tuple[float, int, int]:
        """Loss sum, right lines and lines of the epoch, over all processes."""
        progress = self.progress
        sums = torch.tensor([progress.loss_sum, progress.right, progress.lines], dtype=torch.float64)
        if self.fabric.world_size > 1:
            sums = cast(torch.Tensor, self.fabric.all_reduce(sums.to(self.fabric.device), reduce_op="sum")).cpu()
        loss_sum, right, lines = sums.tolist()
        return loss_sum, int(right), int(lines)

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

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
        TrainingError: the loss is not finite, a file cannot be written, or another process trains in the folder.
        CheckpointError: the last checkpoint is damaged, of another model or of other lines.
    """
    training = Training(task, folder, fabric or make_fabric(task.recipe.train))
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
        training.save(LAST)  # before the first update: a full disk or a wrong folder shows now, not after an hour
    if training.progress.finished:
        return training.outcome()
    log = RunLog(folder, console, training.spec.epochs, training.progress.epoch)
    with signals() as caught, log.live(training.schedule.total, training.progress.step), closing(training.loader):
        while not training.progress.finished:
            training.train_epoch(log, caught)
            training.end_epoch(log)
            if not training.progress.finished and (number := training._agreed(caught)):
                raise training._interrupted(number)
    return training.outcome()
