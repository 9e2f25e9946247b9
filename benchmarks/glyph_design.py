"""What `glyph` was designed by: networks of about the same time on the same short lines, with one loop.

    python -m benchmarks.glyph_design                          what is missing of seed 1
    python -m benchmarks.glyph_design --seeds 1 2 3 --only wide-11 rows-gru plain-gru

60,000 rendered words, prices, dates and random characters in the fonts of Debian packages (`recipes/packages.txt`), those of
them that are at most 104 pixels wide at height 32 (about 34,500), 105 characters, upper and lower case; textures, both polarities, the
effects of `document`. 3,000 lines more in an eighth of the fonts, which no training line has, are read at the end. All
see 200,000 lines: batch 64 sorted by width, AdamW, rate .003 with cosine decay. Time is that of onnxruntime for a line
of 320 pixels, one thread, the best of 120.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from benchmarks.micro_table import RESULTS, machine
from benchmarks.zoo import installed_fonts, listed_words, recorded
from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.image import Geometry, prepare
from glyphlet.metrics import score, wilson
from glyphlet.models.backbones.glyph import Glyph, Residual, conv_bn
from glyphlet.spec import SynthSpec
from glyphlet.synth.render import RenderedSet

CHARACTERS = "".join(map(chr, range(32, 127))) + "éèàçêôîû€£"
WIDEST = 104
BATCH, RATE = 64, 0.003
Arrays = dict[str, NDArray[Any]]


class Dense(nn.Module):
    """relu(x + f(x)) with one or two dense 1 x `kernel` convolutions."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            nn.Conv2d(width, width, (1, 3), padding=(0, dilation), dilation=(1, dilation), bias=False),
            nn.BatchNorm2d(width),
        )
        nn.init.zeros_(self.layer[1].get_parameter("weight"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, width, 1, T) to the same shape."""
        return (x + self.layer(x)).relu()


class Branches(nn.Module):
    """RepVGG's block as it is trained: a kernel, 1 x 1 and identity, each normalised (Ding et al. 2021, arXiv 2101.03697)."""

    def __init__(self, width: int, kernel: tuple[int, int] = (1, 3)) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(width, width, size, padding=(size[0] // 2, size[1] // 2), bias=False) for size in (kernel, (1, 1))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, width, H, T) to the same shape."""
        return sum((n(c(x)) for c, n in zip(self.convs, self.norms[:2], strict=True)), self.norms[2](x)).relu()

    @torch.no_grad()
    def joined(self) -> nn.Sequential:
        """The one convolution that the three branches are when they read."""
        one = copy.deepcopy(self.convs[0])
        assert isinstance(one, nn.Conv2d)
        assert not isinstance(one.padding, str)
        width, rows, columns = one.out_channels, *one.padding
        same = F.pad(torch.eye(width)[..., None, None], (columns, columns, rows, rows))
        point = F.pad(self.convs[1].get_parameter("weight"), (columns, columns, rows, rows))
        weight, bias = torch.zeros_like(same), torch.zeros(width)
        for kernel, norm in zip((one.weight, point, same), self.norms, strict=True):
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            weight += kernel * scale[:, None, None, None]
            bias += norm.bias - norm.running_mean * scale
        one.weight, one.bias = nn.Parameter(weight), nn.Parameter(bias)
        return nn.Sequential(one, nn.ReLU())


def joined(net: nn.Module) -> nn.Module:
    """A copy for reading, whose `Branches` are one convolution each."""
    net = copy.deepcopy(net).eval()
    for parent in list(net.modules()):
        for name, child in parent.named_children():
            if isinstance(child, Branches):
                setattr(parent, name, child.joined())
    return net


class Attention(nn.Module):
    """Self-attention over the time steps, 4 heads, as SVTR mixes (arXiv 2205.00159); no position code."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, width, 1, T) to the same shape."""
        y = x.squeeze(2).transpose(1, 2)
        n, t, d = y.shape
        q, k, v = self.qkv(self.norm(y)).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = (q @ k.transpose(-1, -2) * (d // self.heads) ** -0.5).softmax(-1) @ v
        return (y + self.out(mixed.transpose(1, 2).reshape(n, t, d))).transpose(1, 2).unsqueeze(2)


class Merge(nn.Module):
    """All rows into channels, and a 1 x 1 convolution."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(conv_bn(inputs, width, 1), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, T) to (N, width, 1, T)."""
        return self.layer(x.flatten(1, 2).unsqueeze(2))


class Net(nn.Module):
    """A body that ends with one row, a bidirectional GRU where `gru` is not 0, a linear layer."""

    def __init__(self, body: nn.Module, width: int, classes: int, gru: int = 0) -> None:
        super().__init__()
        self.body = body
        self.gru = nn.GRU(width, gru, batch_first=True, bidirectional=True) if gru else None
        self.head = nn.Linear(2 * gru or width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1, 32, W) to logits (N, W/4, K)."""
        maps = self.body(x)
        y = (maps[-1] if isinstance(maps, list) else maps).flatten(1, 2).transpose(1, 2)
        return self.head(y if self.gru is None else self.gru(y)[0])


def plain() -> nn.Module:
    """Seven 3 x 3 convolutions, the height halved four times: the shape of CRNN."""
    layers: list[nn.Module] = []
    for inputs, outputs, stride in (
        (1, 16, 2), (16, 32, 2), (32, 32, 1), (32, 64, (2, 1)), (64, 64, 1), (64, 96, (2, 1)), (96, 96, 1)
    ):  # fmt: skip
        layers += [conv_bn(inputs, outputs, 3, stride), nn.ReLU()]
    merge = nn.Sequential(nn.Conv2d(96, 192, (2, 1), bias=False), nn.BatchNorm2d(192), nn.ReLU())
    return nn.Sequential(*layers, merge)


def early(width: int, *blocks: nn.Module, residuals: int = 0) -> nn.Module:
    """Two strided convolutions to 32 channels of 8 rows, merged at once; 1-D blocks."""
    stem = [conv_bn(1, 16, stride=2), nn.ReLU(), conv_bn(16, 32, stride=2), nn.ReLU()]
    return nn.Sequential(*stem, *(Residual(32) for _ in range(residuals)), Merge(256, width), *blocks)


def rows(width: int, *blocks: nn.Module, stem: int = 32, first: int = 2) -> nn.Module:
    """glyph's 2-D part, with other blocks behind it."""
    body = Glyph(1, stem, first, width, 0, 1)
    return nn.Sequential(body.stem, body.rows, body.merge, *blocks)


def branched() -> nn.Module:
    """glyph with RepVGG's branches in place of its residual convolutions."""
    body = Glyph(1, 32, 2, 160, 3, 11)
    body.rows[0], body.rows[1], body.rows[-1] = Branches(32, (3, 3)), Branches(32, (3, 3)), Branches(64, (3, 3))
    return body


NETS: dict[str, tuple[str, Callable[[int], nn.Module]]] = {
    "plain-gru": ("7 3x3 convolutions to 1 row, BiGRU 64", lambda k: Net(plain(), 192, k, 64)),
    "early": ("8 rows merged at once, 5 blocks of 1x3", lambda k: Net(early(192, *(Dense(192) for _ in range(5))), 192, k)),
    "early-dilated": ("8 rows merged at once, 5 blocks of 1x3, dilated by 1, 2, 4, 1, 2", lambda k: Net(early(192, *(Dense(192, d) for d in (1, 2, 4, 1, 2))), 192, k)),
    "early-branches": ("8 rows merged at once, 5 blocks of 1x3 with RepVGG's branches", lambda k: Net(early(192, *(Branches(192) for _ in range(5))), 192, k)),
    "early-residual": ("a residual 3x3 before the merge, 4 blocks of 1x3", lambda k: Net(early(192, *(Dense(192) for _ in range(4)), residuals=1), 192, k)),
    "early-attention": ("8 rows merged at once, 4 blocks of 1x3, one self-attention", lambda k: Net(early(192, *(Dense(192) for _ in range(4)), Attention(192)), 192, k)),
    "early-gru": ("8 rows merged at once, 4 blocks of 1x3, BiGRU 64", lambda k: Net(early(160, *(Dense(160) for _ in range(4))), 160, k, 64)),
    "rows": ("glyph's rows, 3 blocks of 1x3", lambda k: Net(rows(192, *(Dense(192) for _ in range(3))), 192, k)),
    "rows-gru": ("glyph's rows, 1 block of 1x3, BiGRU 64", lambda k: Net(rows(160, Dense(160)), 160, k, 64)),
    "wide-7": ("glyph with kernel 7", lambda k: Net(Glyph(1, 32, 2, 160, 3, 7), 160, k)),
    "wide-11": ("glyph", lambda k: Net(Glyph(1, 32, 2, 160, 3, 11), 160, k)),
    "wide-branches": ("glyph with RepVGG's branches in its rows", lambda k: Net(branched(), 160, k)),
    "wide-15": ("glyph with kernel 15", lambda k: Net(Glyph(1, 32, 2, 160, 3, 15), 160, k)),
    "wide-128": ("glyph, width 128, 4 blocks", lambda k: Net(Glyph(1, 32, 2, 128, 4, 11), 128, k)),
    "wide-thin": ("glyph, stem 24, 1 residual, width 144", lambda k: Net(Glyph(1, 24, 1, 144, 3, 11), 144, k)),
}  # fmt: skip


def lines(count: int, fonts: list[str], words: Path, stream: str, seed: int) -> Arrays:
    """Rendered lines as arrays: pixels (N, 32, 104), widths (N,), texts (N,)."""
    spec = SynthSpec.model_validate({
        "count": count, "seed": seed, "text": "mix", "fonts": fonts, "font_size": (18, 40), "background": "textured",
        "polarity": "both", "spacing": "proportional", "uncovered": "drop", "effects": [{"name": "document"}],
        "texts": [
            {"kind": "words", "path": str(words), "max_words": 1, "case": ["as_is", "as_is", "upper", "title"], "weight": 4},
            {"kind": "random", "min_length": 2, "max_length": 7, "weight": 2},
            {"kind": "prices", "weight": 1}, {"kind": "numbers", "weight": 1}, {"kind": "dates", "weight": 0.5},
        ],
    })  # fmt: skip
    found, texts = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some fonts lack some characters
        for line in RenderedSet(spec, Charset.from_text(CHARACTERS), stream):
            pixels = prepare(line.image, Geometry(width_step=8)).pixels[0]
            if pixels.shape[1] <= WIDEST:
                found.append(pixels)
                texts.append(line.text)
    padded = np.stack([np.pad(p, ((0, 0), (0, WIDEST - p.shape[1])), mode="edge") for p in found])
    return {"x": padded, "w": np.array([p.shape[1] for p in found]), "t": np.array(texts)}


def prepared(folder: Path) -> tuple[Arrays, Arrays]:
    """The lines to train on and to read; rendered once."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "val.npz").is_file():
        fonts = installed_fonts()
        random.Random(0).shuffle(fonts)
        held = len(fonts) // 8
        listed = folder / "words.txt"
        listed.write_text("\n".join(listed_words(CHARACTERS, "en.txt")), encoding="utf-8")
        for name, count, used, stream, seed in (
            ("train", 60000, fonts[held:], "train", 0), ("val", 3000, fonts[:held], "validation", 1)
        ):  # fmt: skip
            x, w, t = lines(count, used, listed, stream, seed).values()
            np.savez(folder / f"{name}.npz", x=x, w=w, t=t)
    with np.load(folder / "train.npz") as train, np.load(folder / "val.npz") as held_back:
        return dict(train), dict(held_back)


def scaled(data: Arrays, index: NDArray[Any]) -> torch.Tensor:
    """Lines (N, 1, 32, W) with the width of the widest of them."""
    width = int(data["w"][index].max())
    return (torch.from_numpy(data["x"][index][:, None, :, :width]).float() / 255 - 0.5) / 0.25


def batches(usable: NDArray[Any], widths: NDArray[Any], rng: np.random.Generator) -> list[NDArray[Any]]:
    """An epoch: lines of like width together."""
    order, made = rng.permutation(usable), []
    for start in range(0, len(order), 2048):
        part = order[start : start + 2048]
        part = part[np.argsort(widths[part], kind="stable")]
        made += [part[i : i + BATCH] for i in range(0, len(part), BATCH)]
    rng.shuffle(made)
    return made


def endless(usable: NDArray[Any], widths: NDArray[Any], rng: np.random.Generator) -> Iterator[NDArray[Any]]:
    """Batches for ever."""
    while True:
        yield from batches(usable, widths, rng)


def loss_of(logits: torch.Tensor, labels: list[list[int]]) -> torch.Tensor:
    """CTC, the mean over the lines."""
    n, t, _ = logits.shape
    lengths = torch.tensor([len(label) for label in labels])
    flat = torch.tensor([c for label in labels for c in label])
    steps = torch.full((n,), t)
    logs = logits.log_softmax(-1).transpose(0, 1)
    return F.ctc_loss(logs, flat, steps, lengths, 0, reduction="sum", zero_infinity=True) / n


def train(name: str, seed: int, seen: int, data: Arrays, held: Arrays) -> dict[str, Any]:
    """One row."""
    codec = CTCCodec(Charset.from_text(CHARACTERS))
    torch.manual_seed(seed)
    net = NETS[name][1](codec.classes).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    decayed = [p for p in net.parameters() if p.ndim > 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0}],
        lr=RATE,
    )  # fmt: skip
    labels = [codec.encode(str(text)) for text in data["t"]]
    usable = np.flatnonzero(np.array([codec.min_steps(label) for label in labels]) <= data["w"] // 4)
    rng = np.random.default_rng(seed)
    source, steps, begin = endless(usable, data["w"], rng), seen // BATCH, time.process_time()
    count, recent = 0, list[float]()
    for step in range(steps):
        batch, done = next(source), step / steps
        for group in optimizer.param_groups:
            rate = done / 0.1 if done < 0.1 else 0.5 * (1 + math.cos(math.pi * (done - 0.1) / 0.9))
            group["lr"] = RATE * max(min(rate, 1.0), 0.01)
        x = scaled(data, batch) * float(rng.uniform(0.8, 1.2)) + float(rng.uniform(-0.3, 0.3))  # contrast, brightness
        loss = loss_of(net(x), [labels[i] for i in batch])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        optimizer.step()
        count += len(batch)
        recent = [*recent[-99:], float(loss)]
    seconds = time.process_time() - begin
    right, cer = read(net, codec, held)
    return {
        "name": name, "seed": seed, "lines": count, "parameters": sum(p.numel() for p in joined(net).parameters()), "right": right,
        "held": len(held["t"]), "cer": cer, "lines_per_second": round(count / seconds), "loss": float(np.mean(recent)),
        "ms": milliseconds(net), "date": str(date.today()),
    }  # fmt: skip


@torch.no_grad()
def read(net: nn.Module, codec: CTCCodec, held: Arrays) -> tuple[int, float]:
    """How many held-back lines are right, and the character error rate."""
    net.eval()
    texts, truth = [], []
    for width in np.unique(held["w"]):
        index = np.flatnonzero(held["w"] == width)
        for part in np.array_split(index, max(1, len(index) // 128)):
            texts += [codec.decode(path) for path in net(scaled(held, part)).argmax(-1).tolist()]
            truth += [str(text) for text in held["t"][part]]
    found = score(texts, truth)
    return found.correct_lines, found.cer


def milliseconds(net: nn.Module) -> float:
    """onnxruntime, one thread, a line of 320 pixels, the best of 120."""
    file, options = Path(tempfile.mkdtemp()) / "net.onnx", onnxruntime.SessionOptions()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            joined(net), (torch.zeros(1, 1, 32, 128),), file, dynamo=False, opset_version=17, input_names=["i"], output_names=["o"],
            dynamic_axes={"i": {0: "N", 3: "W"}, "o": {0: "N", 1: "T"}},
        )  # fmt: skip
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    times, line = [], np.zeros((1, 1, 32, 320), np.float32)
    for _ in range(120):
        begin = time.perf_counter()
        session.run(None, {"i": line})
        times.append(time.perf_counter() - begin)
    return 1000 * min(times)


def write(found: list[dict[str, Any]]) -> None:
    """The table, best first."""
    text = [
        "# Networks that `glyph` was chosen from",
        "",
        f"Measured {max(row['date'] for row in found)}, {machine()}, 1 thread. Command: `python -m benchmarks.glyph_design`",
        "",
        "Word accuracy on lines in held-back fonts, by seed, with the 95 % interval of all. Training lines/s by CPU time.",
        "",
        "| name | network | word accuracy | CER | parameters | lines/s | ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in sorted(
        {r["name"] for r in found}, key=lambda n: -np.mean([r["right"] for r in found if r["name"] == n])
    ):
        own = sorted((row for row in found if row["name"] == name), key=lambda row: row["seed"])
        between = wilson(sum(row["right"] for row in own), sum(row["held"] for row in own))
        words = " ".join(f"{row['right'] / row['held']:.3f}" for row in own)
        text.append(
            f"| {name} | {NETS[name][0]} | {words} [{between.low:.3f}, {between.high:.3f}] | "
            f"{' '.join(format(row['cer'], '.3f') for row in own)} | {own[0]['parameters']:,} | "
            f"{own[0]['lines_per_second']} | {own[0]['ms']:.2f} |"
        )
    (RESULTS / "glyph_design.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", default=list(NETS), choices=list(NETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--seen", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-glyph")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kept = RESULTS / "glyph_design.json"
    data, held = prepared(options.folder)
    for seed in options.seeds:
        for name in options.only:
            if (name, seed) not in {(row["name"], row["seed"]) for row in recorded(kept)}:
                row = train(name, seed, options.seen, data, held)
                found = [*recorded(kept), row]  # another process may have added rows
                print(json.dumps(found[-1]), file=sys.stderr)
                kept.write_text(json.dumps(found, indent=1) + "\n")
                write(found)


if __name__ == "__main__":
    main()
