"""Real handwritten numbers: the recipe `lectaurep-numbers`, and what it reads on 600 test lines, once.

    python -m benchmarks.lectaurep_numbers

Needs ../shared/data/lectaurep_numbers (HTR-United/lectaurep-repertoires, CC BY 4.0) beside the checkout. A tenth of `train`
decides which epoch is kept; `test` is read once, through the model file, when that is decided.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from rich.console import Console

from benchmarks.micro_table import RESULTS, machine
from glyphlet.evaluate.scores import Evaluation, score_rows
from glyphlet.job import Job, run
from glyphlet.metrics import wilson
from glyphlet.runtime.reader import Reader
from glyphlet.spec import load_recipe
from glyphlet.train.log import read_log


def by_length(test: Evaluation) -> list[str]:
    """Word accuracy by the length of the truth."""
    lines: Counter[int] = Counter(min(len(r.truth), 5) for r in test.results)
    right: Counter[int] = Counter(min(len(r.truth), 5) for r in test.results if r.text == r.truth)
    rows = []
    for length, count in sorted(lines.items()):
        ends = wilson(right[length], count)
        name = f"{length}{' and more' if length == 5 else ''}"
        rows.append(f"| {name} | {count} | {right[length] / count:.3f} [{ends.low:.3f}, {ends.high:.3f}] |")
    return rows


def table(job: Job, threads: int) -> str:
    """The results as Markdown."""
    assert job.test is not None
    log, facts = read_log(job.folder / "log.csv"), Reader(job.model).metadata.training
    confusions = ", ".join(
        f"{c.truth or 'nothing'} > {c.read or 'nothing'} ({c.count})" for c in job.test.scores.confusions[:12]
    )
    best = log[job.outcome.best_epoch - 1]
    return "\n".join(
        [
            f"Measured {date.today()}, {machine()}, {threads} thread. Command: `python -m benchmarks.lectaurep_numbers`",
            "",
            f"{facts['parameters']:,} parameters, model file {job.model.stat().st_size / 1024:.0f} kB, "
            f"{facts['train_lines']:,} training lines, {job.outcome.epochs} epochs, {job.outcome.seconds:.0f} s. "
            f"Best epoch {job.outcome.best_epoch}: word accuracy {best['train_accuracy']:.3f} on the training lines as "
            f"they were trained on, {best['validation_accuracy']:.3f} on the validation lines.",
            "",
            "| on the test lines | value | 95 % interval |",
            "|---|---|---|",
            *(f"| {name} | {value} | {interval} |" for name, value, interval in score_rows(job.test.scores)),
            "",
            "| characters in the truth | lines | word accuracy [95 %] |",
            "|---|---|---|",
            *by_length(job.test),
            "",
            f"Most frequent confusions (truth > read): {confusions}.",
            "",
        ]
    )


def main() -> None:
    """Train, read the test lines once, write the table."""
    recipe = load_recipe("lectaurep-numbers", ["train.threads=1", "train.samples=1"])
    job = run(recipe, Path(tempfile.gettempdir()) / "glyphlet-lectaurep", Console(file=sys.stderr))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "lectaurep_numbers.md").write_text(table(job, 1))
    print(table(job, 1))


if __name__ == "__main__":
    main()
