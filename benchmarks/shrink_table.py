"""The tables of `benchmarks.shrink` as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import shrink_int8
from benchmarks.micro_table import machine
from benchmarks.shrink_runs import CRITERIA, FEW, KEEP, RATIOS, SEEN, SHARES, TUNED
from benchmarks.shrink_sizes import BUDGET, MB, STORED
from benchmarks.shrink_study import CANDIDATES, LEFT, tells
from benchmarks.zoo import CONVERGED, bits, interval, joined, pair

Row = dict[str, Any]
HOW = {
    "whole": "whole", "on": "whole, trained further", "cut": "cut, statistics adapted", "tuned": "cut, trained further",
    "longer": "cut, trained further for longer", "taught": "cut, trained further with the whole one as teacher",
}  # fmt: skip


def page(rows: Sequence[Row]) -> str:
    """All tables of what is done."""
    days = sorted({row["date"] for row in rows if "date" in row})
    text = [
        "# What shrinking costs",
        "",
        f"Measured {' and '.join(dict.fromkeys([days[0], days[-1]])) if days else ''}, {machine()}, 1 thread. "
        "Command: `python -m benchmarks.shrink`, then `--files --times --test`",
    ]
    for part, table in TABLES.items():
        own = [row for row in rows if row["part"] == part]
        if own:
            text += ["", *table(own)]
    return "\n".join(text) + "\n"


def tested(row: Row) -> float:
    """The share of test lines that are read rightly."""
    return float(row["test"] / row["test_lines"])


def lost(row: Row, before: Row | None) -> str:
    """Points that a model reads less than another on the same test lines, with the 95 % interval."""
    if before is None or before is row or "test" not in row or "test" not in before:
        return ""
    gaps = 100 * (bits(before).astype(int) - bits(row))
    half = 1.96 * gaps.std(ddof=1) / len(gaps) ** 0.5
    return f"{gaps.mean():+.2f} [{gaps.mean() - half:+.2f}, {gaps.mean() + half:+.2f}]"


def headline(rows: Sequence[Row]) -> list[str]:
    """ResNet-18 before and after."""
    text = [
        "## A tenth of the multiply-adds",
        "",
        "Strings of 1 to 5 digits set from MNIST's, on lines of at most 96 pixels that the network sees at 64 (`shrink_task`). Training, "
        "validation and test lines are set from different images. ResNet-18 with BiGRU 64 as published, but grey and with 11 classes. "
        f"Layers of the backbone were cut by FPGM, with one common threshold of measured loss, until a tenth of the multiply-adds was left; `{KEEP}` "
        f"and the inner layers of SE stay whole. For time, losses were measured at shares of {', '.join(map(str, RATIOS))} alone, on {FEW} validation lines (the source: "
        "0.1 to 0.9). Further training has all settings of the first one. Trained in bfloat16 where autocast "
        f"allows it. *: not converged (training word accuracy below {CONVERGED} in the last epoch). Accuracy is of whole lines. Lost: "
        "points on the same test lines, paired, with the 95 % interval; negative is a gain. Times are of one line, the float32 file, one "
        "thread, all models taking turns: the median turn (lowest to highest).",
        "",
        "| model | lines seen | M multiply-adds | parameters | kB float32 / float16 / int8 | ms a line | train | validation | test [95 %] | lost to "
        "the whole | lost to the whole, trained further |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    named = {row["name"]: row for row in rows}
    for row in rows:
        of = row["of"]
        seen = row.get("seen", 0) + (SEEN if row["how"] != "whole" else 0)
        ms = f"{row['ms']['median']:.2f} ({row['ms']['low']:.2f} to {row['ms']['high']:.2f})" if "ms" in row else ""
        kb = " / ".join(f"{row['bytes'][kind] / 1024:,.0f}" for kind in STORED) if "bytes" in row else ""
        train = f"{row['train']:.3f}{'' if row['train'] >= CONVERGED else ' *'}" if "train" in row else ""
        test = interval([row["test"]], row["test_lines"]) if "test" in row else ""
        text.append(
            f"| {of}: {HOW[row['how']]} | {seen:,} | {row['macs'] / 1e6:.1f} | {row['parameters']:,.0f} | {kb} | {ms} | {train} | "
            f"{row['validation']:.3f} | {test} | {lost(row, named.get(f'{of} whole'))} | {lost(row, named.get(f'{of} on'))} |"
        )
    over = [f"{row['name']} ({kind})" for row in rows for kind, size in row.get("bytes", {}).items() if size > BUDGET]
    if any("bytes" in row for row in rows):
        text += ["", f"Over 10 MB: {', '.join(over) or 'none'}. All other files are under it."]
    text += ["", *_channels(rows)]
    return text


def _channels(rows: Sequence[Row]) -> list[str]:
    found = []
    for row in rows:
        if "sizes" in row:
            left = ", ".join(f"{name.removeprefix('backbone.')} {after} of {before}" for name, (before, after) in row["sizes"].items() if before != after)  # fmt: skip
            found.append(
                f"- Channels that stay in {row['of']}: {left}. Without adapted statistics the cut model reads {row['plain']:.3f} of the "
                f"validation lines. Measuring the losses and cutting took {row['seconds']:,} s."
            )
    return found


def _unfinished(rows: Sequence[Row]) -> str:
    """What is to be known of models that are not converged."""
    least = [row for row in rows if row["train"] < CONVERGED]
    highest = max((row["train"] for row in least if row["share"] == max(SHARES)), default=0.0)
    if not least:
        return ""
    return (
        f" {len(least)} of {len(rows)} models are not converged (training word accuracy below {CONVERGED} in the last epoch); those "
        f"with {max(SHARES):.0%} fewer are far from it (at most {highest:.2f}), so their rows say who recovers faster, not who ends better."
    )


def grid(rows: Sequence[Row]) -> list[str]:
    """The criteria against each other."""
    text = [
        "## Criteria",
        "",
        f"ResNet-18 with a quarter of the channels and BiGRU 64, trained on {SEEN:,} lines with three seeds. The share of channels that "
        "each layer of the backbone loses is that of one common threshold on the curves of the whole ResNet-18 above (by FPGM), and the same for "
        f"all criteria, which so leave the same sizes. Then the model is trained further on {TUNED:,} lines with all settings of the first training. By seed. Cut: validation lines read after adaptive batch "
        f"normalisation, before further training.{_unfinished(rows)}",
        "",
        "| fewer multiply-adds | criterion | M multiply-adds | cut | validation | test [95 %] |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    cells: dict[tuple[float, str], list[Row]] = {}
    for row in sorted(rows, key=lambda r: r["seed"]):
        cells.setdefault((row["share"], row["criterion"]), []).append(row)
    titles = {"whole": "none, not trained further", "on": "none, trained further"}
    for share in (0.0, *SHARES):
        for criterion in ("whole", "on", *CRITERIA):
            own = cells.get((share, criterion), [])
            if own:
                tests = [row["test"] for row in own if "test" in row]
                text.append(
                    f"| {share:.0%} | {titles.get(criterion, criterion)} | {own[0]['macs'] / 1e6:.1f} | "
                    f"{joined([r['adapted'] for r in own if 'adapted' in r])} | {joined([r['validation'] for r in own])} | "
                    f"{interval(tests, own[0].get('test_lines', 0))} |"
                )
    text += [
        "",
        "FPGM minus the other on the same lines: on validation by seed, on test lines with the 95 % interval over lines, each line taken "
        "with all its seeds. An ordering is claimed where three seeds agree and the interval leaves out 0.",
        "",
        "| fewer multiply-adds | other | validation, by seed | test | claimed |",
        "|---|---|---|---|---|",
    ]
    for share in SHARES:
        for other in CRITERIA[1:]:
            both = [
                (a, b)
                for a in cells.get((share, "fpgm"), [])
                for b in cells.get((share, other), [])
                if a["seed"] == b["seed"]
            ]
            if both:
                first, second = "first is better", "second is better"
                by_seed, test, claim = pair(both)
                claim = claim.replace(first, "FPGM is better").replace(second, f"{other} is better")
                text.append(f"| {share:.0%} | {other} | {by_seed} | {test} | {claim} |")
    return text


def study(rows: Sequence[Row]) -> list[str]:
    """EagleEye's score against the accuracy after further training."""
    named = [row for row in rows if "test" in row]
    text = ["## EagleEye", ""]
    unread = [row for row in rows if "test" not in row]
    if unread or len(named) < 4:
        return [*text, f"{len(rows)} of {CANDIDATES} candidates are trained further; the test lines are not read yet."]
    after = [tested(row) for row in named]
    best = max(named, key=lambda row: row["adapted"])
    first = min(named, key=lambda row: row["number"])
    better = sum(tested(row) > tested(best) for row in named)
    text += [
        f"{len(named)} smaller models of the narrow ResNet-18 (seed 1), drawn as `glyphlet shrink eagleeye` draws them: ratios from 0 to 0.95 for each "
        f"layer of the backbone, at most {LEFT:.0%} of the multiply-adds left, channels by FPGM. Each is read after adaptive batch "
        f"normalisation (2,500 validation lines), then trained further on {TUNED:,} lines. What tells the accuracy on the test lines after that: Spearman's "
        "rank correlation with its 95 % interval (Bonett and Wright).",
        "",
        "| known before | rank correlation [95 %] |",
        "|---|---|",
        *(f"| {name} | {value:+.2f} [{low:+.2f}, {high:+.2f}] |" for name, value, low, high in tells(named, tested)),
        "",
        f"Best of {len(named)} by the adapted accuracy: {tested(best):.3f} after further training; {better} of the others did better. The first that met "
        f"the target, as the script of lightweight-OCR takes: {tested(first):.3f}. All: mean {statistics.mean(after):.3f}, from {min(after):.3f} to "
        f"{max(after):.3f}, standard deviation {statistics.stdev(after):.3f}. The first is a draw by chance, so the mean is what it gives in the long run.",
        "",
        "| candidate | M multiply-adds | without adaptation | after adaptation | after further training, validation | test |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['number']} | {row['macs'] / 1e6:.1f} | {row['plain']:.3f} | {row['adapted']:.3f} | {row['validation']:.3f} | {tested(row):.3f} |"
            for row in sorted(named, key=lambda row: -row["adapted"])
        ),
    ]
    return text


def sizes(rows: Sequence[Row]) -> list[str]:
    """The 16 rows of lightweight-OCR."""
    text = [
        "## The 16 rows of lightweight-OCR",
        "",
        "Published parameters count running statistics too, and are met by our networks. Published MB are of Paddle's graph and weights; score is the source's, on lines "
        "that are not free. Our files have 3,939 classes and first weights, for sizes need no training; MB are 1,048,576 bytes. For the pruned rows the network before "
        "pruning stands in the last column.",
        "",
        "| row | published parameters | published score | published MB | float32 MB | float16 MB | int8 MB | before pruning: float32 / float16 / int8 MB |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip

    def mb(found: dict[str, int]) -> list[str]:
        return [f"{found[kind] / MB:.2f}{' **over**' if found[kind] > BUDGET else ''}" for kind in STORED]

    for row in rows:
        said = row["published"]
        text.append(
            f"| `{row['name']}` | {row['parameters']:,} | {said['score']:.4f} | {said['model_mb']} | {' | '.join(mb(row['bytes']))} | "
            f"{' / '.join(mb(row['whole'])) if row['whole'] else ''} |"
        )
    text += [
        "",
        "**over**: over the 10 MB of the contest. Times of the networks before pruning are in [zoo.md](zoo.md).",
    ]
    return text


TABLES: dict[str, Callable[[Sequence[Row]], list[str]]] = {
    "headline": headline, "grid": grid, "study": study, "int8": shrink_int8.table, "sizes": sizes,
}  # fmt: skip
"""For each part of the results what writes its tables."""
