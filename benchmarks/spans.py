"""Where the models that ship say that a character stands, against rendered lines whose truth is known.

    python -m benchmarks.spans

Needs ../shared/data beside the checkout and the packages in recipes/packages.txt. The lines are rendered as the recipes render those
that validate, but without effects that would move pixels after the boxes are known. Spaces and characters that were misread are left
out. An error is the distance from the middle of the span to the middle of the character's ink.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks import chinese, print_model
from benchmarks.peers import DATA
from glyphlet.decode.calibration import Calibration
from glyphlet.files import replace_file
from glyphlet.metrics import alignment
from glyphlet.runtime.reader import Reader
from glyphlet.spec import SynthSpec, load_values, recipe_from
from glyphlet.synth.render import RenderedLine, RenderedSet

RESULTS = Path(__file__).parent / "results" / "spans.md"
LINES = 500


def specs(work: Path) -> dict[str, SynthSpec]:
    """What is rendered for each model."""
    drawn = load_values("digits")["data"]["train"][1] | {"glyphs": str(DATA / "mnist.npz"), "endless": False}
    test = recipe_from(chinese.values(work), "chinese").data.test
    assert isinstance(test, SynthSpec)
    plain = {"count": LINES, "effects": []}
    return {
        "print": SynthSpec.model_validate(print_model.values(work)["data"]["validation"][0] | plain),
        "digits": SynthSpec.model_validate(drawn | plain),
        "chinese": test.model_copy(update=plain),
    }


def errors(reader: Reader, lines: list[RenderedLine]) -> NDArray[np.float64]:
    """For each character that is read rightly its error, as a share of its own width and of the mean width in its line, (N, 2)."""
    found = []
    for line, reading in zip(lines, reader.read([line.image for line in lines]), strict=True):
        mean = np.mean([right - left for left, _, right, _ in line.boxes if right > left] or [1])
        characters, boxes = iter(reading.characters), iter(line.boxes)
        for read, true in alignment(reading.text, line.text):
            character = next(characters) if read else None
            left, _, right, _ = next(boxes) if true else (0, 0, 0, 0)
            if character and read == true != " " and right > left and character.left is not None:
                error = abs(character.left + (character.right or 0.0) - left - right) / 2
                found.append((error / (right - left), error / mean))
    return np.array(found)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-calibration")
    work: Path = parser.parse_args().work
    print_model.prepare(work)
    replace_file(work / "data" / "zh.txt", (DATA / "text" / "zh.txt").read_bytes())
    rows = []
    for name, spec in specs(work).items():
        plain, ready = Reader(name, calibrated=False), Reader(name)
        lines = list(RenderedSet(spec, ready.metadata.charset, "validation"))
        shift = (Calibration.of(ready.metadata.calibration) or Calibration()).shift
        before, after = errors(plain, lines), errors(ready, lines)
        cells = [f"{shift:g}", f"{len(after):,}"]
        cells += [f"{100 * np.mean(table[:, column] <= 0.5):.1f}" for column in (0, 1) for table in (before, after)]
        rows.append(
            f"| `{name}` | {' | '.join(cells)} | {np.median(after[:, 0]):.2f} | {np.quantile(after[:, 1], 0.99):.2f} |"
        )
    text = "\n".join(
        [
            "# Where the characters stand",
            "",
            f"{date.today()}, `python -m benchmarks.spans`, {LINES} rendered lines for each model. Shares in percent of the characters that are read",
            "rightly, without spaces. *Before* is without the shift that the file carries.",
            "",
            "| Model | Shift, pixels | Characters | Within half its own width, before | after | Within half the line's mean width, before | after "
            "| Median error, own widths | 99 % within, mean widths |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
    replace_file(RESULTS, text.encode())
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
