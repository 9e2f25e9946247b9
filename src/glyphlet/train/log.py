"""What a training reports: to the console, to `log.csv`, and to TensorBoard."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from glyphlet.models.recognizer import Recognizer
from glyphlet.models.summary import dead_parameters, kilobytes, part_costs


@dataclass(frozen=True)
class EpochRow:
    """One epoch: a row of `log.csv`.

    Args:
        epoch: from 1.
        step: updates made since the start.
        lr: rate of the last update.
        train_loss: mean loss of a line, the confidence penalty taken off.
        validation_loss: the same on the validation lines.
        train_accuracy: word accuracy of the training lines as they were trained on.
        validation_accuracy: word accuracy of the validation lines after the epoch.
        validation_cer: their character error rate.
        lines_per_second: training lines, waiting for data included.
        data_wait: share of the time spent waiting for data, 0 to 1.
        seconds: training time since the start, validation included, over all resumed parts.
    """

    epoch: int
    step: int
    lr: float
    train_loss: float
    validation_loss: float
    train_accuracy: float
    validation_accuracy: float
    validation_cer: float
    lines_per_second: float
    data_wait: float
    seconds: float

    def text(self) -> str:
        """The row for the console."""
        return (
            f"epoch {self.epoch:>4}  lr {self.lr:.2e}  loss {self.train_loss:8.4f} / {self.validation_loss:8.4f}  "
            f"words {self.train_accuracy:.4f} / {self.validation_accuracy:.4f}  cer {self.validation_cer:.4f}  "
            f"{self.lines_per_second:6.0f} lines/s  data wait {self.data_wait:4.0%}"
        )


COLUMNS = [field.name for field in fields(EpochRow)]


def read_log(path: Path) -> list[dict[str, float]]:
    """The rows of a `log.csv`; none when there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def model_summary(model: Recognizer, width: int) -> Table:
    """A table of the model's parts with parameters, multiply-adds and output shapes."""
    table = Table(title=f"model, for a line of {width} x {model.geometry.height} pixels", title_justify="left")
    for column in ("part", "name", "output", "parameters", "multiply-adds"):
        table.add_column(column, justify="right" if column in ("parameters", "multiply-adds") else "left")
    costs = part_costs(model, width)
    for cost in costs:
        shape = " x ".join(map(str, cost.output))
        table.add_row(cost.part, cost.name, shape, f"{cost.parameters:,}", f"{cost.multiply_adds:,}")
    total = sum(cost.parameters for cost in costs)
    work = sum(cost.multiply_adds for cost in costs)
    dead = dead_parameters(model)
    if dead:
        table.add_row("of these dead", "", "in no model file", f"{dead:,}", "0")
    table.add_row(
        "total", "", f"{kilobytes(4 * (total - dead))} kB as float32", f"{total:,}", f"{work:,}", style="bold"
    )
    return table


class RunLog:
    """Writes one training's reports.

    Args:
        folder: the run folder.
        console: where to print.
        epochs: how many there will be at most.
        resumed_at: epochs that are already done; later rows of an older log are cut off.
        quiet: neither print nor write; for all processes of a training but the first.
    """

    def __init__(
        self, folder: Path, console: Console, epochs: int, resumed_at: int = 0, *, quiet: bool = False
    ) -> None:
        self.console = console
        self.epochs = epochs
        self.csv = folder / "log.csv"
        self._progress: Progress | None = None
        self._bar: Any = None
        self._board: Any = None
        self._quiet = quiet
        if quiet:
            return
        rows = [row for row in read_log(self.csv) if row["epoch"] <= resumed_at]
        with self.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows({**row, "epoch": int(row["epoch"]), "step": int(row["step"])} for row in rows)
        self._board = _tensorboard(folder / "tensorboard", resumed_at)

    @contextlib.contextmanager
    def live(self, batches: int, done: int) -> Iterator[None]:
        """A progress display for the time of the training; on a plain terminal the rows alone are printed."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            TextColumn("of at most"),
            TimeRemainingColumn(),
        )
        with Progress(
            *columns, console=self.console, transient=True, disable=self._quiet or not self.console.is_terminal
        ) as progress:
            self._progress = progress
            self._bar = progress.add_task("training", total=batches, completed=done, state="")
            try:
                yield
            finally:
                self._progress = None
                if self._board is not None:
                    with contextlib.suppress(OSError):  # has been raised before, when an epoch was written
                        self._board.close()

    def batch(self, epoch: int, step: int, loss: float) -> None:
        """One update was made."""
        if self._progress is not None:
            state = f"loss {loss:8.3f}"
            self._progress.update(self._bar, completed=step, description=f"epoch {epoch}/{self.epochs}", state=state)

    def epoch(self, row: EpochRow, samples: Sequence[str], best: bool) -> None:
        """One epoch is done."""
        self.console.print(escape(row.text()) + ("  [green]best[/]" if best else ""), highlight=False, soft_wrap=True)
        for sample in samples:
            self.console.print(Text("    " + sample, style="dim"), soft_wrap=True)
        with self.csv.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS).writerow(asdict(row))
        if self._board is not None:
            self._write_board(self._board, row, samples)

    def _write_board(self, board: Any, row: EpochRow, samples: Sequence[str]) -> None:
        for name, part in (("loss", "loss"), ("word accuracy", "accuracy")):
            for which in ("train", "validation"):
                board.add_scalar(f"{name}/{which}", getattr(row, f"{which}_{part}"), row.epoch)
        board.add_scalar("character error rate/validation", row.validation_cer, row.epoch)
        board.add_scalar("learning rate", row.lr, row.epoch)
        board.add_scalar("speed/lines per second", row.lines_per_second, row.epoch)
        board.add_scalar("speed/share of time waiting for data", row.data_wait, row.epoch)
        if samples:
            board.add_text("samples", "\n".join("    " + sample for sample in samples), row.epoch)
        board.flush()


def _tensorboard(folder: Path, resumed_at: int) -> Any:
    """A TensorBoard writer; None where TensorBoard is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=resumed_at + 1 if resumed_at else None)
