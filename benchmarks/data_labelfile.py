"""Ten million labelled lines: seconds and memory to open a label file, to read lines of it, and to cut a validation part.

    python -m benchmarks.data_labelfile --lines 10000000

Each row is a fresh process, whose peak memory is that of the program, NumPy and what it keeps of the lines. `bare` opens
nothing: the difference is the price of the lines. The file is written to the folder for temporary files and removed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"
FORMATS = ("bare", "tsv", "spaced", "csv", "indexed", "jsonl")


def write(path: Path, form: str, lines: int) -> None:
    """A label file of lines like `images/000/000/000000001.jpg` and a text of 8 to 12 characters."""
    rows = {
        "tsv": "{0}\ttext {1:05d}é\n", "spaced": "{0} text {1:05d}é\n", "csv": "{0};text {1:05d}é\n",
        "indexed": "{0} 1 {1} 3 7 11 42 5 6\n", "jsonl": '{{"image": "{0}", "text": "text {1:05d}é"}}\n',
    }  # fmt: skip
    with path.open("w", encoding="utf-8") as file:
        if form == "csv":
            file.write("filename;value\n")
        for start in range(0, lines, 10_000):
            names = (
                f"images/{i // 1000000:03d}/{i // 1000 % 1000:03d}/{i:09d}.jpg"
                for i in range(start, min(start + 10_000, lines))
            )
            file.writelines(rows[form].format(name, 1 + i % 5000) for i, name in enumerate(names))


def measure(path: str, form: str) -> dict[str, Any]:
    """Open a file in this process, and read some lines of it."""
    from glyphlet.data.open import open_lines
    from glyphlet.data.split import split_lines
    from glyphlet.spec import SourceSpec

    found: dict[str, Any] = {"format": form}
    if form != "bare":
        dictionary = str(Path(path).with_name("chars.txt")) if form == "indexed" else None
        begin = time.perf_counter()
        lines = open_lines(SourceSpec(path=path, format=form, dictionary=dictionary))
        found |= {"lines": len(lines), "open": time.perf_counter() - begin}
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if form != "bare":
        order = np.random.default_rng(1).integers(0, len(lines), 100_000).tolist()
        for key, indices in (("random", order), ("ordered", range(min(len(lines), 200_000)))):
            begin = time.perf_counter()
            for index in indices:
                lines.text(index)
            found[key] = len(indices) / (time.perf_counter() - begin)
        if form == "tsv":
            begin = time.perf_counter()
            parts = split_lines(lines, 0.2, 12)
            assert sum(map(len, parts)) == len(lines)
            found["split"] = time.perf_counter() - begin
            found["split_peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found


def table(rows: list[dict[str, Any]], count: int) -> str:
    """The results as Markdown."""
    from benchmarks.micro_table import machine  # it loads torch, whose memory is not to be measured

    bare = rows[0]["peak"]
    lines = [
        f"Measured {date.today()}, {machine()}, one thread. Command: `python -m benchmarks.data_labelfile --lines {count}`",
        "",
        f"The program without lines takes {bare / 1024:.0f} MB. Files were in the page cache.",
        "",
        "| format | lines | seconds to open | million lines/s | peak MB | bytes a line | random texts/s | texts/s in order |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['format']} | {r['lines']:,} | {r['open']:.1f} | {r['lines'] / r['open'] / 1e6:.1f} | {r['peak'] / 1024:.0f} "
        f"| {(r['peak'] - bare) * 1024 / r['lines']:.1f} | {r['random']:,.0f} | {r['ordered']:,.0f} |"
        for r in rows[1:]
    ]
    split = next((r for r in rows if "split" in r), None)
    if split:
        lines += [
            "",
            f"A split of the {split['lines']:,} lines without groups takes {split['split']:.1f} s "
            f"and brings the peak to {split['split_peak'] / 1024:.0f} MB.",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure every format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--formats", nargs="+", default=list(FORMATS[1:]), choices=FORMATS[1:])
    parser.add_argument("--one", nargs=2, metavar=("PATH", "FORMAT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "chars.txt").write_text(
            "\n".join(["blank", *(chr(0x4E00 + i) for i in range(5990))]) + "\n", encoding="utf-8"
        )
        for form in ("bare", *options.formats):
            path = Path(folder) / f"labels.{form}"
            if form != "bare":
                write(path, form, options.lines)
            command = [sys.executable, "-m", "benchmarks.data_labelfile", "--one", str(path), form]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            path.unlink(missing_ok=True)
    text = table(rows, options.lines)
    (RESULTS / "data_labelfile.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
