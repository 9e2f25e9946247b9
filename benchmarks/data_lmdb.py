"""Lines into an LMDB: lines/s, memory, bytes a line, and how fast they are read back in random order.

    python -m benchmarks.data_lmdb --counts 10000 100000 1000000

The source is a WebDataset tar (and, for the largest number, also the LMDB made from it) of 10,000 different lines, rendered once and repeated under labels of their own: 32 x 280 JPEG
of 2 to 3 kB, as in the Chinese set of 3.6 million lines, and 120 x 30 PNG. Every conversion verifies
every image and syncs to the disk. A run is a process of its own, whose peak memory is its own and its largest worker's. Rows of earlier runs are kept.

Reads go over all lines in random order, with the page cache as the writing left it: nothing here empties it. So they say what
LMDB and decoding cost, not what the disk does; an LMDB of 1,000,000 lines is 4.2 GB.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

RESULTS = Path(__file__).parent / "results"
DISTINCT = 10_000
WORDS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def images(kind: str) -> list[bytes]:
    """Different lines, encoded."""
    random = np.random.default_rng(12)
    width, height, size = (280, 32, 22) if kind == "jpeg" else (120, 30, 20)
    font = ImageFont.load_default(size)
    found = []
    for _ in range(DISTINCT):
        paper = random.normal(220, 7, (height, width, 3)).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(paper if kind == "jpeg" else np.full((height, width), 255, np.uint8))
        text = "".join(random.choice(list(WORDS), 20 if kind == "jpeg" else 8))
        ImageDraw.Draw(image).text((4, 3), text, font=font, fill=20 if kind == "png" else (30, 30, 40))
        buffer = io.BytesIO()
        if kind == "jpeg":
            image.save(buffer, "JPEG", quality=35)
        else:
            image.save(buffer, "PNG")
        found.append(buffer.getvalue())
    return found


def write_source(path: Path, kind: str, count: int) -> int:
    """A tar of so many lines; returns the bytes of its images and texts."""
    found, payload = images(kind), 0
    suffix = "jpg" if kind == "jpeg" else "png"
    with path.open("wb", buffering=1 << 20) as file:
        for number in range(1, count + 1):
            text = f"line {number}".encode()
            for name, data in ((suffix, found[number % DISTINCT]), ("txt", text)):
                info = tarfile.TarInfo(f"{number:09d}.{name}")
                info.size = len(data)
                payload += len(data)
                file.write(info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512))
        file.write(bytes(10240))
    return payload


def conversion(source: Path, target: Path, workers: int) -> dict[str, float]:
    """Convert in this process; lines/s and peak memory."""
    from glyphlet.data.conversion.convert import convert

    begin, cpu, main = time.perf_counter(), sum(os.times()[:4]), time.process_time()
    done = convert(str(source), target, workers=workers)
    seconds = time.perf_counter() - begin
    time.sleep(0.5)  # the workers end, and their processor time is counted
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "lines": done.written,
        "seconds": seconds,
        "cpu": sum(os.times()[:4]) - cpu,
        "cpu_main": time.process_time() - main,
        "peak": own.ru_maxrss / 1024,
        "peak_worker": children.ru_maxrss / 1024 if workers > 1 else 0.0,
    }


def reading(target: Path, most: int = 200_000) -> dict[str, float]:
    """Lines/s in random order: bytes alone, and decoded."""
    from glyphlet.data.open import open_lines
    from glyphlet.image import decode

    begin = time.perf_counter()
    lines = open_lines(str(target))
    opened = time.perf_counter() - begin
    begin = time.perf_counter()
    sizes = lines.sizes()
    assert sizes is not None
    sized = time.perf_counter() - begin
    order = np.random.default_rng(1).permutation(len(lines))[:most]
    begin = time.perf_counter()
    for index in order:
        lines.sample(int(index))
    raw = len(order) / (time.perf_counter() - begin)
    begin = time.perf_counter()
    for index in order[:20_000]:
        decode(lines.sample(int(index)).source, 1)
    decoded = min(20_000, len(order)) / (time.perf_counter() - begin)
    return {"open_ms": 1000 * opened, "sizes_ms": 1000 * sized, "raw": raw, "decoded": decoded}


def child(*arguments: str) -> dict[str, float]:
    """A measurement in a process of its own."""
    out = subprocess.run([sys.executable, "-m", "benchmarks.data_lmdb", *arguments], check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)


def measure(kind: str, count: int, workers: list[int], work: Path, again: bool = False) -> list[dict[str, Any]]:
    """One size: convert with each number of workers, then read; `again` also converts the result."""
    source = work / f"{kind}-{count}.tar"
    payload = write_source(source, kind, count)
    sources, rows = [(source, number) for number in workers], []
    if again:
        sources += [(work / f"{kind}-{count}-{workers[-1]}.lmdb", number) for number in workers]
    for path, number in sources:
        target = work / f"{kind}-{count}-{number}{'-again' if path != source else ''}.lmdb"
        row: dict[str, Any] = {"kind": kind, "source": path.suffix[1:], "count": count, "workers": number}
        row |= {"payload": payload / count} | child("--convert", str(path), str(target), str(number))
        row["file"] = (target / "data.mdb").stat().st_blocks * 512 / count
        row |= child("--read", str(target))
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
        if not again or path != source or number != workers[-1]:
            shutil.rmtree(target)
    source.unlink()
    shutil.rmtree(sources[-1][0], ignore_errors=True)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The results as Markdown, and what they come to for more lines."""
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    lines = [
        f"Measured {date.today()}, {len(os.sched_getaffinity(0))} cores {model}, Python {platform.python_version()}. "
        "Command: `python -m benchmarks.data_lmdb`. Every image is decoded, every transaction synced. Lines/s per core are "
        "lines per second of processor time, of all processes together: the machine had other work to do meanwhile, so "
        "the seconds, and the reads, are those of a busy one. With an LMDB as the source, the peak of what reads it counts "
        "the mapped file, which is page cache that the system takes back.",
        "",
        "| images | source | lines | workers | seconds | lines/s | lines/s per core | peak MB, main and worker | payload bytes a line | file bytes a line | open ms | sizes ms | random reads/s | with decoding |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['kind']} | {r['source']} | {r['count']:,} | {r['workers']} | {r['seconds']:.1f} | {r['count'] / r['seconds']:,.0f} | {r['count'] / r['cpu']:,.0f} "
        f"| {r['peak']:.0f}, {r['peak_worker']:.0f} | {r['payload']:,.0f} | {r['file']:,.0f} "
        f"| {r['open_ms']:.1f} | {r['sizes_ms']:.1f} | {r['raw']:,.0f} | {r['decoded']:,.0f} |"
        for r in rows
    ]
    return "\n".join([*lines, *extrapolation(rows)]) + "\n"


def extrapolation(rows: list[dict[str, Any]]) -> list[str]:
    """10 and 100 million lines, from the largest measured set of JPEG."""
    most = max(r["count"] for r in rows)
    largest = {(r["source"], r["workers"]): r for r in rows if r["kind"] == "jpeg" and r["count"] == most}
    workers = max(number for _, number in largest)
    smaller = sorted({r["count"] for r in rows if r["kind"] == "jpeg"})[-2:][0]
    before = {(r["source"], r["workers"]): r for r in rows if r["kind"] == "jpeg" and r["count"] == smaller}
    lines = [
        "",
        f"Extrapolated on paper from {most:,} lines of JPEG. Hours are processor time: on one core with one worker; on 16 "
        f"from the run with {workers} workers, shared out, but no less than what the one process that writes needs itself. "
        f"Memory is the peak of that process, which grows with the index of a tar (measured from {smaller:,} to {most:,} "
        "lines; each worker holds one, too), and with an LMDB by the pages of its map alone. Sizes are 8 bytes a line, on the disk and in memory.",
        "",
        "| lines | source | hours, 1 core | hours, 16 cores | file GB | peak MB | MB of sizes |",
        "|---|---|---|---|---|---|---|",
    ]
    for count in (10_000_000, 100_000_000):
        for source in sorted({s for s, _ in largest}, reverse=True):
            one, many = largest[source, 1], largest[source, workers]
            hours = [count / most * seconds / 3600 for seconds in (one["cpu"], many["cpu"] / 16, many["cpu_main"])]
            earlier = before.get((source, workers))
            growth = (many["peak"] - earlier["peak"]) / (most - smaller) if earlier and most > smaller else 0.0
            peak = many["peak"] + growth * (count - most)
            lines.append(
                f"| {count:,} | {source} | {hours[0]:.1f} | {max(hours[1:]):.2f} | {count * many['file'] / 1e9:,.0f} "
                f"| {peak:,.0f} | {8 * count / 1e6:,.0f} |"
            )
    return lines


def merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, and those of earlier runs that were not measured again."""
    file = RESULTS / "data_lmdb.json"
    every = [*(json.loads(file.read_text()) if file.exists() else []), *rows]
    latest = {(r["kind"], r["source"], r["count"], r["workers"]): r for r in every}
    return sorted(latest.values(), key=lambda r: (r["kind"], r["count"], r["source"] == "lmdb", r["workers"]))


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--workers", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--work", type=Path, default=None, help="A folder with 10 GB of room.")
    parser.add_argument("--convert", nargs=3, metavar=("SRC", "DST", "WORKERS"), help=argparse.SUPPRESS)
    parser.add_argument("--read", metavar="DST", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.convert or arguments.read:
        source, target, workers = arguments.convert or ("", "", "0")
        found = conversion(Path(source), Path(target), int(workers)) if source else reading(Path(arguments.read))
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        work = Path(folder)
        most = max(arguments.counts)
        rows = [r for n in arguments.counts for r in measure("jpeg", n, arguments.workers, work, again=n == most)]
        rows += measure("png", min(100_000, most), arguments.workers, work)
    RESULTS.mkdir(exist_ok=True)
    rows = merged(rows)
    (RESULTS / "data_lmdb.json").write_text(json.dumps(rows, indent=1))
    (RESULTS / "data_lmdb.md").write_text(table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
