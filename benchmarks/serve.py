"""Requests a second, latency and memory of `glyphlet serve`, on 127.0.0.1 alone.

    python -m benchmarks.serve
    python -m benchmarks.serve --skip-memory          # the load alone

Two servers of the model `print` run, one that reads lines together (`--batch 32`, the default) and one that does not
(`--batch 1`). They take turns: each of 1, 8 and 64 clients on kept-alive connections sends one PNG line a request, once with
lines of one width and once of many (only equal padded widths share a batch). A measurement ends after `--requests` or
`--seconds`. Every answer is compared with what the reader says of that line alone.

Then a fresh server takes `--total` requests from 8 clients, of which one in 50 is a damaged image, one has a pattern and one a malformed
pattern; its
resident memory is read after every 1,000.

The clients run in this process and share the processors with the server, so the figures are lower than what a server has that
is asked from other machines. The load of the machine before the run stands beside the table.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.micro_table import RESULTS, machine
from glyphlet.decode.decoding import Decoding
from glyphlet.runtime.reader import Reader

LETTERS = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 .,-"
PATTERN = r"[A-Za-z0-9 .,\-]+"
CLIENTS = (1, 8, 64)
COMMAND = "python -m benchmarks.serve"


@dataclass(frozen=True)
class Query:
    """A request as bytes, and what its answer must hold."""

    request: bytes
    status: bytes
    holds: bytes


@dataclass
class Load:
    """Requests that are shared by all clients of a measurement, and the seconds that each took."""

    queries: list[Query]
    most: int
    until: float
    begun: int = 0
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0


def drawn(width: int | None, count: int, seed: int) -> list[bytes]:
    """Lines of 32 rows as PNG: of one width, or about as wide as 4 to 40 characters are."""
    rng = np.random.default_rng(seed)
    font = ImageFont.load_default(22)
    files = []
    for _ in range(count):
        text = "".join(rng.choice(list(LETTERS), 40 if width else rng.integers(4, 41)))
        image = Image.new("L", (width or int(font.getlength(text)) + 12, 32), 255)
        ImageDraw.Draw(image).text((6, 2), text, font=font, fill=0)
        file = io.BytesIO()
        image.save(file, "PNG")
        files.append(file.getvalue())
    return files


def posted(image: bytes, status: int, holds: str, pattern: str = "") -> Query:
    """A query for one image."""
    target = f"/v1/read?pattern={quote(pattern)}" if pattern else "/v1/read"
    head = (
        f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: {len(image)}\r\n\r\n"
    )
    return Query(head.encode() + image, str(status).encode(), holds.encode())


def queries_for(reader: Reader, files: list[bytes], pattern: str = "") -> list[Query]:
    """A query for each image, with the text that the reader finds when it reads the image alone."""
    texts = [reader.read_one(file).text for file in files]
    return [
        posted(file, 200, f'"text":{json.dumps(text, ensure_ascii=False)}', pattern)
        for file, text in zip(files, texts, strict=True)
    ]


async def one_client(port: int, load: Load) -> None:
    """Sends the next query as soon as the last one is answered, on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while load.begun < load.most and time.perf_counter() < load.until:
        query = load.queries[load.begun % len(load.queries)]
        load.begun += 1
        begun = time.perf_counter()
        writer.write(query.request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        body = await reader.readexactly(int(length[1]))
        load.seconds.append(time.perf_counter() - begun)
        load.wrong += head.split(b" ", 2)[1] != query.status or query.holds not in body
    writer.close()


def measured(port: int, queries: list[Query], clients: int, most: int, seconds: float) -> tuple[float, float, float]:
    """Requests a second, and the median and 99th percentile of their milliseconds."""

    async def run() -> tuple[Load, float]:
        load = Load(queries, most, time.perf_counter() + seconds)
        begun = time.perf_counter()
        await asyncio.gather(*(one_client(port, load) for _ in range(clients)))
        return load, time.perf_counter() - begun

    load, spent = asyncio.run(run())
    if load.wrong:
        raise SystemExit(f"{load.wrong} of {len(load.seconds)} answers are not what the reader says of the line alone")
    p50, p99 = np.percentile(load.seconds, [50, 99]) * 1000
    return len(load.seconds) / spent, float(p50), float(p99)


class Server:
    """`glyphlet serve` on a free port of 127.0.0.1, until the `with` ends."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "glyphlet", "serve", "print", "--port", "0", *options]
        self.process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def memory(self) -> float:
        """Resident memory in MB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def load_table(reader: Reader, options: argparse.Namespace) -> list[str]:
    """Both servers under load, in turns."""
    kinds = {
        "320 pixels": queries_for(reader, drawn(320, 64, 1)),
        "many": queries_for(reader, drawn(None, 64, 2)),
    }
    found: dict[tuple[str, int, int], list[tuple[float, float, float]]] = {}
    with Server("--batch", "32", *options.server) as together, Server("--batch", "1", *options.server) as alone:
        servers = {32: together, 1: alone}
        for _ in range(options.repeats + 1):  # the first warms up
            for kind, queries in kinds.items():
                for clients in CLIENTS:
                    for batch, server in servers.items():
                        most = options.requests if clients > 1 else options.requests // 2
                        row = measured(server.port, queries, clients, most, options.seconds)
                        found.setdefault((kind, clients, batch), []).append(row)
                        print(kind, clients, batch, *(f"{value:.1f}" for value in row), file=sys.stderr)
    lines = [
        "| widths | clients | batch | requests/s | p50 ms | p99 ms | batch 32 / 1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for (kind, clients, batch), rows in found.items():
        rates, halves, tails = np.array(rows[1:]).T
        others = np.array(found[kind, clients, 1][1:])[:, 0]
        ratio = spread(rates / others, 2) if batch > 1 else ""
        lines.append(
            f"| {kind} | {clients} | {batch} | {spread(rates, 0)} | {spread(halves, 1)} | {spread(tails, 1)} | {ratio} |"
        )
    return lines


def spread(values: np.ndarray, digits: int) -> str:
    """The median, and the least and the most in brackets."""
    return f"{np.median(values):.{digits}f} ({values.min():.{digits}f} to {values.max():.{digits}f})"


def memory_table(reader: Reader, options: argparse.Namespace) -> list[str]:
    """Resident memory of a server over many requests."""
    files = drawn(None, 47, 3)
    queries = queries_for(reader, files)
    queries.append(posted(files[0][:-200], 422, "is damaged"))
    queries.append(posted(files[0], 400, "without its ')'", "("))
    queries += queries_for(reader.using(Decoding(pattern=PATTERN)), files[1:2], PATTERN)
    memory, begun = [], time.perf_counter()
    with Server(*options.server) as server:
        for _ in range(options.total // 1000):
            measured(server.port, queries, 8, 1000, 600)
            memory.append(server.memory())
            if len(memory) % 10 == 0:
                print(len(memory) * 1000, f"{memory[-1]:.1f} MB", file=sys.stderr)
    spent = time.perf_counter() - begun
    half = len(memory) // 2
    slope = np.polyfit(np.arange(half, len(memory)), memory[half:], 1)[0]
    rows = [
        f"| {n * 1000:,} | {memory[n - 1]:.1f} |"
        for n in sorted({1, 2, 5, *range(10, len(memory) + 1, 10)})
        if n <= len(memory)
    ]
    return [
        f"{len(memory) * 1000:,} requests of 8 clients in {spent:.0f} s; lines of many widths, one in 50 damaged, one with a pattern and one with a malformed pattern. "
        f"In the second half the memory grows by {1000 * slope:.1f} kB for each 1,000 requests (least squares), "
        f"and is between {min(memory[half:]):.1f} and {max(memory[half:]):.1f} MB.",
        "",
        "| after requests | resident MB |",
        "|---|---|",
        *rows,
    ]


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--requests", type=int, default=2000, help="of a measurement, at most; half of them for one client"
    )
    parser.add_argument("--seconds", type=float, default=8, help="of a measurement, at most")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--total", type=int, default=50_000, help="requests while memory is watched")
    parser.add_argument("--skip-memory", action="store_true")
    parser.add_argument("--server", nargs="*", default=[], help="options of the servers, such as --server=--threads=1")
    options = parser.parse_args()
    before = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    reader = Reader("print", threads=1)
    lines = [
        "# glyphlet serve",
        "",
        f"Measured {date.today()}, {machine()}, model `print`. Command: `{COMMAND}`",
        f"The load of the machine before the run was {before} (1, 5, 15 minutes). The clients share the processors with the server.",
        "",
        f"Median of {options.repeats}, least and most in brackets. A request is one PNG line of 32 rows; every answer was what the reader",
        "says of that line alone. `batch 1` is the same server that reads each line alone.",
        "",
        *load_table(reader, options),
    ]
    if not options.skip_memory:
        lines += ["", "## Memory", "", *memory_table(reader, options)]
    page = "\n".join(lines) + "\n"
    print(page)
    if not options.skip_memory:
        (RESULTS / "serve.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
