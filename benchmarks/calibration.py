"""What the confidences of the models that ship are worth: expected calibration error before and after, and what is rejected.

    python -m benchmarks.calibration                       the figures of the files as they are
    python -m benchmarks.calibration --write               calibrate the files first

Needs ../shared/data beside the checkout, and the packages in recipes/packages.txt. Each is calibrated on lines that validated it: `print` on 140 typewritten lines and as many rendered
ones, `digits` on the tenth of the registers' training lines that its recipe holds back, `chinese` on rendered lines. Beside them each
is measured on lines of another kind, which it was neither trained nor calibrated on. No test line is read here.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks import chinese, print_model
from benchmarks.peers import DATA, lines_of, plain
from glyphlet.data.open import open_lines
from glyphlet.data.sample import Sample
from glyphlet.export.calibrate import calibrate_file
from glyphlet.files import replace_file
from glyphlet.reliability import expected_calibration_error
from glyphlet.runtime.reader import Reader
from glyphlet.runtime.shipped import model_path
from glyphlet.spec import SynthSpec, load_values, recipe_from
from glyphlet.synth.nontext import not_text
from glyphlet.synth.render import RenderedSet
from glyphlet.train.task import load_task

RESULTS = Path(__file__).parent / "results" / "calibration.md"
RENDERED = 140
"""Rendered lines for `print`: as many as there are typewritten ones, so that neither kind decides."""
OTHERS = 500
SEED = 7
"""Of images without text; the calibration draws others."""


def of_print(work: Path) -> list[Sample]:
    """Typewritten and rendered lines."""
    print_model.prepare(work)
    rendered, typed = print_model.values(work)["data"]["validation"]
    spec = SynthSpec.model_validate(rendered).model_copy(update={"count": RENDERED})
    return [*open_lines(typed), *_made(spec, "print")]


def of_digits(work: Path) -> list[Sample]:
    """The lines that the recipe holds back."""
    values = load_values("digits")
    values["data"]["train"] = [str(DATA / "lectaurep_numbers" / "train.txt")]
    return [line.sample for line in load_task(recipe_from(values, "digits")).validation]


def of_chinese(work: Path) -> list[Sample]:
    """Lines rendered as the recipe's test lines are, others."""
    text = work / "data" / "zh.txt"
    text.parent.mkdir(parents=True, exist_ok=True)
    replace_file(text, (DATA / "text" / "zh.txt").read_bytes())
    spec = recipe_from(chinese.values(work), "chinese").data.test
    assert isinstance(spec, SynthSpec)
    return list(_made(spec, "chinese"))


def _made(spec: SynthSpec, model: str) -> Sequence[Sample]:
    lines = RenderedSet(spec, Reader(model).metadata.charset, "validation")
    return [Sample(line.image, line.text, "rendered") for line in lines]


def receipts(work: Path) -> list[Sample]:
    """Receipt lines of `train`."""
    return [Sample(path, text, str(path)) for path, text in lines_of("sroie_lines", OTHERS)]


def plates(work: Path) -> list[Sample]:
    """Chinese number plates of `train`."""
    return list(open_lines(str(DATA / "ccpd_plates" / "train.txt")))[:OTHERS]


MODELS: dict[str, tuple[Callable[[Path], list[Sample]], str, Callable[[Path], list[Sample]] | None, str]] = {
    "print": (of_print, "140 typewritten, 140 rendered", receipts, "500 of receipts"),
    "digits": (of_digits, "447 of registers", None, ""),
    "chinese": (of_chinese, "1,000 rendered", plates, "500 number plates"),
}
"""Each model with the lines it is calibrated on, and those of another kind."""


def errors(reader: Reader, samples: Sequence[Sample], how: str) -> tuple[float, float, float]:
    """Accuracy, expected calibration error and the share that is rejected."""
    read = reader.read([sample.source for sample in samples])
    right = [plain(one.text, how) == plain(sample.text, how) for one, sample in zip(read, samples, strict=True)]
    confidences = np.array([one.confidence for one in read])
    error = expected_calibration_error(confidences, np.array(right, float))
    return float(np.mean(right)), error, float(np.mean([bool(one.reason) for one in read]))


def by_chance(confidences: NDArray[np.float64]) -> float:
    """The expected calibration error of a perfect forecast with these confidences: the mean of 200 draws."""
    rng = np.random.default_rng(0)
    drawn = ((rng.random(len(confidences)) < confidences).astype(float) for _ in range(200))
    return float(np.mean([expected_calibration_error(confidences, right) for right in drawn]))


def rows(name: str, work: Path, write: bool) -> list[str]:
    """The table rows of a model."""
    make, what, others, what_others = MODELS[name]
    samples, path = make(work), model_path(name)
    if write:
        calibrate_file(path, samples)
    raw, ready = Reader(name, calibrated=False), Reader(name)
    facts: dict[str, Any] = ready.metadata.measured["calibration"]
    read = ready.read([sample.source for sample in samples])
    signs = [one.confidence for reading in read for one in reading.characters]
    fits = [
        (what, facts["lines"], [one.confidence for one in read]),
        (f"their {facts['characters']['count']:,} characters", facts["characters"], signs),
    ]
    made = [
        f"| `{name}` | {kind} | {fit['kind']} | {100 * fit['right']:.1f} | {fit['ece_before']:.3f} | {fit['ece_after']:.3f} | "
        f"{by_chance(np.array(confidences)):.3f} | "
        + (f"{100 * facts['rejected_lines']:.1f} |" if kind == what else " |")
        for kind, fit, confidences in fits
    ]
    if others:
        given = others(work)
        how = "folded quotes" if name == "print" else ""
        before, after = errors(raw, given, how), errors(ready, given, how)
        chance = by_chance(np.array([one.confidence for one in ready.read([sample.source for sample in given])]))
        made.append(
            f"| `{name}` | {what_others}, another kind | as above | {100 * before[0]:.1f} | {before[1]:.3f} | {after[1]:.3f} | "
            f"{chance:.3f} | {100 * after[2]:.1f} |"
        )
    nonsense = ready.read(not_text(1100, SEED))
    made.append(
        f"| `{name}` | 1,100 images without text | | | | | | {100 * np.mean([bool(one.reason) for one in nonsense]):.1f} |"
    )
    return made


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-calibration")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    table = [row for name in MODELS for row in rows(name, options.work, options.write)]
    text = "\n".join(
        [
            "# Confidence of the models that ship",
            "",
            f"{date.today()}, `python -m benchmarks.calibration`. Expected calibration error over 15 bins of equal size. *After* on the lines of",
            "the calibration: of each fifth with the map that was fitted on the other four; `none` where no map was better than none by more",
            "than a standard error. *By chance*: what a perfect forecast with these confidences has, for there are only so many lines. *Rejected*:",
            "taken for no text.",
            "",
            "| Model | Lines | Map | Right, % | ECE before | ECE after | ECE by chance | Rejected, % |",
            "|---|---|---|---|---|---|---|---|",
            *table,
            "",
        ]
    )
    replace_file(RESULTS, text.encode())
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
