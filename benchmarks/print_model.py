"""The model `print` on a small machine: its lines are rendered once and kept, and the training goes on where it stopped.

    python -m benchmarks.print_model --prepare                     the files that the recipe reads, in ./data
    python -m benchmarks.print_model --render 9 --workers 2        9 pools, of 40,000 lines in the shares of the recipe
    python -m benchmarks.print_model --train NAME --epochs 10      on all pools; two processes: torchrun --nproc-per-node 2 -m ...
    python -m benchmarks.print_model --measure FILE                lines held back: rendered, typewritten, receipts

Needs ../shared/data beside the checkout and the packages in recipes/packages.txt. The recipe `print` itself renders new lines without
end, which takes a core for each that trains; where there are many, or a GPU, `glyphlet train print` needs nothing of this but
`--prepare`.

No test line is read here. The typewritten lines that validate are cut from `train`, by a fixed draw; the receipts are lines of
their `train`, and no model that ships is trained on any of them.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.peers import DATA, lines_of, plain
from glyphlet.charset import Charset
from glyphlet.data.conversion.convert import convert
from glyphlet.data.open import open_lines
from glyphlet.errors import GlyphletError
from glyphlet.files import replace_file
from glyphlet.job import run
from glyphlet.metrics import score
from glyphlet.runtime.reader import Reader
from glyphlet.spec import Recipe, SynthSpec, load_values, recipe_from
from glyphlet.synth.dataset import write_set
from glyphlet.synth.render import RenderedSet

POOL = 40_000
HELD_BACK = 140
"""Typewritten lines that validate."""
RECEIPTS = 500


def prepare(folder: Path) -> None:
    """Write the files that the recipe reads into `folder/data`."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for name in ("en.txt", "de.txt"):
        replace_file(data / name, (DATA / "text" / name).read_bytes())
    lines = DATA / "typewritten_lines"
    rows = [f"{lines / unmarked(row)}\n" for row in (lines / "train.txt").read_text(encoding="utf-8").splitlines()]
    random.Random(1).shuffle(rows)
    replace_file(data / "typewritten-validation.txt", "".join(rows[:HELD_BACK]).encode())
    replace_file(data / "typewritten-train.txt", "".join(rows[HELD_BACK:]).encode())


def unmarked(text: str) -> str:
    """A text without the sign that stands before underlined words in the labels of the typewritten lines, and not on the paper.

    >>> unmarked("de _Socrate, _(bas) a_b")
    'de Socrate, (bas) a_b'
    """
    return re.sub(r"(?<![^\s])_(?=\S)", "", text)


def values(work: Path) -> dict[str, Any]:
    """The recipe, with the paths of `work`."""

    def placed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: placed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [placed(item) for item in value]
        return str(work / value) if isinstance(value, str) and value.startswith("data/") else value

    made: dict[str, Any] = placed(load_values("print"))
    return made


def rendered(work: Path) -> list[dict[str, Any]]:
    """The rendered sources of the recipe."""
    return [source for source in values(work)["data"]["train"] if isinstance(source, dict) and "count" in source]


def render(work: Path, pools: range, workers: int) -> list[Path]:
    """Pools of lines, each in the shares of the recipe's sources."""
    sources = rendered(work)
    total, found = sum(source["count"] for source in sources), []
    for number in pools:
        for which, source in enumerate(sources):
            done = work / f"pool-{number}-{which}.lmdb"
            if not done.exists():
                count = round(POOL * source["count"] / total)
                changed = source | {"endless": False, "count": count, "seed": 1000 * source["seed"] + number}
                labels = write_set(
                    SynthSpec.model_validate(changed), Charset.named("western"), work / done.stem, workers=workers
                )
                part = work / f"{done.stem}.part.lmdb"
                convert(labels, part, workers=workers)
                part.rename(done)
            found.append(done)
    return found


def recipe(work: Path, settings: argparse.Namespace) -> Recipe:
    """The recipe with the pools in the place of its rendered sources."""
    changed = values(work)
    real = [source for source in changed["data"]["train"] if source not in rendered(work)]
    changed["data"]["train"] = [*map(str, sorted(work.glob("pool-*.lmdb"))), *(real if settings.real else [])]
    changed["train"] |= {
        "epochs": settings.epochs,
        "lr": settings.lr,
        "threads": 1,
        "workers": 0,
        "accelerator": "cpu",
        "precision": settings.precision,
        "sync_norm": False,
    }
    if settings.start:
        changed["start"] = {"path": str(settings.start), "only": settings.only}
    return recipe_from(changed, settings.train)


def measure(work: Path, model: Path, console: Console) -> None:
    """Accuracy on the lines held back, compared as `benchmarks.peers` does, and what is confused most."""
    reader, validation = Reader(model), values(work)["data"]["validation"]
    made = RenderedSet(SynthSpec.model_validate(validation[0]), reader.metadata.charset, "validation")
    typed = open_lines(validation[1])
    receipts = lines_of("sroie_lines", RECEIPTS)
    sets: dict[str, tuple[list[Any], list[str], str]] = {
        "rendered": ([line.image for line in made], [line.text for line in made], "quotes"),
        "typewritten": ([sample.source for sample in typed], [sample.text for sample in typed], "quotes"),
        "receipts": ([path for path, _ in receipts], [text for _, text in receipts], "folded quotes"),
    }
    for name, (sources, truths, how) in sets.items():
        texts = [reading.text for reading in reader.read(sources)]
        found = score([plain(text, how) for text in texts], [plain(text, how) for text in truths])
        confused = ", ".join(f"{c.truth or '-'}>{c.read or '-'} {c.count}" for c in found.confusions[:24])
        console.print(
            f"{name}: exact {found.word_accuracy:.3f}, CER {found.cer:.4f} of {found.lines} lines; {confused}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-print")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--render", type=int, default=0, metavar="POOLS")
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="the number of the first pool, which draws its lines"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--train", default="", metavar="NAME")
    parser.add_argument("--real", action="store_true", help="with the recipe's real lines")
    parser.add_argument("--start", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="the parts that are taken from the start; all by default")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument(
        "--precision", default="32-true", help="bf16-mixed is 1.7 times as fast on a processor that has it"
    )
    parser.add_argument("--measure", type=Path, metavar="FILE")
    settings = parser.parse_args()
    console = Console(file=sys.stderr)
    if settings.prepare:
        prepare(Path())
    if settings.render or settings.train or settings.measure:
        prepare(settings.work)
    if settings.render:
        render(settings.work, range(settings.first, settings.first + settings.render), settings.workers)
    if settings.train:
        try:
            run(recipe(settings.work, settings), settings.work, console, folder=settings.work / settings.train)
        except GlyphletError as error:
            raise SystemExit(str(error)) from None
    if settings.measure:
        measure(settings.work, settings.measure, Console())


if __name__ == "__main__":
    main()
