"""Reports of a training or an evaluation: one HTML file that holds everything, pictures included.

A report asks for nothing from outside (its own content security policy forbids it), runs no script, and follows the
reader's light or dark mode and the width of the window. Every text from outside is escaped.

    write_report("report.html", "MicroOCR on SVT", [
        score_figures(evaluation.scores),
        training_curves(rows),
        gallery(pictures, "Worst lines"),
        score_section(evaluation.scores),
        confusion_section(evaluation.scores),
        preformatted(recipe.to_yaml(), "Recipe"),
    ])
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet.errors import ImageError
from glyphlet.evaluate.plot import Point, line_chart
from glyphlet.evaluate.scores import confusion_rows, percent, percent_range, score_rows, visible, write_whole
from glyphlet.metrics import Scores, alignment

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_STYLE = """
:root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--ink:#1b1f24;--soft:#57606a;--edge:#d8dde3;--link:#0072b2;
--wrong:#8f1d14;--wrong-bg:#ffdcd7;--space:#6b4700;--space-bg:#ffe7b3;--right:#0b6b45}
@media(prefers-color-scheme:dark){:root{--page:#12161b;--card:#1b2129;--ink:#e6e9ed;--soft:#a3adb8;--edge:#343c46;
--link:#62b8f0;--wrong:#ffb4a9;--wrong-bg:#5a211b;--space:#ffd98a;--space-bg:#523c0c;--right:#5fd3a3}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",sans-serif}
main{max-width:76rem;margin:0 auto;padding:2rem clamp(1rem,3vw,2.5rem) 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .75rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.5rem 0 .75rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.9rem}
a{color:var(--link)}
.note,.soft{color:var(--soft);font-size:.875rem}
.note{margin:0 0 .75rem;max-width:70ch}
.card{background:var(--card);border:1px solid var(--edge);border-radius:.6rem;padding:1rem}
.grid{display:grid;gap:1rem;margin:0;padding:0;list-style:none}
.tiles{grid-template-columns:repeat(auto-fill,minmax(min(100%,11.5rem),1fr))}
.charts{grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr))}
.lines{grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr))}
.tiles dt{color:var(--soft);font-size:.875rem}
.tiles dd{margin:0}
.tiles .value{font-size:1.6rem;line-height:1.3;font-weight:600;overflow-wrap:anywhere}
.lines li{min-width:0}
.lines .long{grid-column:1/-1}
.lines img{display:block;width:auto;height:auto;max-height:7rem;min-height:1.75rem;border:1px solid var(--edge);
border-radius:.25rem;background:#fff}
.texts{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.1rem .75rem;margin:.75rem 0 .5rem}
.texts dt{color:var(--soft);font-size:.875rem;line-height:1.7rem}
.texts dd{margin:0;line-height:1.7rem;white-space:pre-wrap;overflow-wrap:anywhere}
.texts dd,pre,.signs td{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
.foot{display:flex;flex-wrap:wrap;gap:.1rem 1rem;overflow-wrap:anywhere}
.right{color:var(--right);font-weight:600}
mark{color:var(--wrong);background:var(--wrong-bg);border-radius:.15rem;padding:.05rem .08rem;
text-decoration:underline;text-underline-offset:.2em}
mark.space{color:var(--space);background:var(--space-bg)}
.gap{display:inline-block;min-width:1ch;height:1.15em;margin:0 .08em;vertical-align:text-bottom;
border:1px dashed var(--wrong);border-radius:.15rem}
.wide{overflow-x:auto}.wide>img{max-width:100%;height:auto}
.fit{width:fit-content;max-width:100%}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.35rem 1.5rem .35rem 0;text-align:right;border-bottom:1px solid var(--edge);white-space:nowrap}
th{color:var(--soft);font-weight:600;font-size:.875rem}
th:first-child,td:first-child{text-align:left}
th:last-child,td:last-child{padding-right:0}
tbody tr:last-child td{border-bottom:0}
pre{margin:0;overflow-x:auto;font-size:.875rem;line-height:1.45}
@media print{body{background:none}.card{break-inside:avoid}}
"""

_CURVES: tuple[tuple[str, str, dict[str, str], dict[str, Any]], ...] = (
    ("Loss", "loss", {"train_loss": "training", "validation_loss": "validation"}, {}),
    (
        "Word accuracy",
        "share of lines",
        {"train_accuracy": "training", "validation_accuracy": "validation"},
        {"y_range": (0.0, 1.0)},
    ),
    ("Learning rate", "rate", {"lr": "learning rate"}, {}),
    ("Speed", "lines a second", {"lines_per_second": "training"}, {"from_zero": True}),
    ("Waiting for data", "share of time", {"data_wait": "waiting"}, {"from_zero": True}),
)
"""Title, y label, names of the columns, and options of each chart."""


_LONG = 10
"""A picture that is wider than so many times its height takes a whole row of a gallery."""


@dataclass(frozen=True)
class Section:
    """A part of a report. `body` is HTML, put into the page as it is: what builds a section escapes its texts."""

    title: str
    body: str


@dataclass(frozen=True)
class Picture:
    """A line in a gallery.

    Args:
        image: uint8 (H, W), (H, W, 1) or (H, W, 3), or the bytes of a PNG file.
        text: what was read.
        truth: what it says; None when that is not known.
        confidence: 0 to 1; None when there is none.
        path: where the image came from; may be empty.
        raw: the path before it was merged, one sign for each time step; may be empty.
    """

    image: NDArray[np.uint8] | bytes
    text: str
    truth: str | None = None
    confidence: float | None = None
    path: str = ""
    raw: str = ""


def write_report(path: str | Path, title: str, sections: Iterable[Section], note: str = "") -> None:
    """Write the sections as one HTML file, which appears complete or not at all.

    Args:
        path: the file to write.
        title: the heading of the page.
        sections: from the builders below, in this order.
        note: a sentence below the heading, such as the date and the command.

    Raises:
        GlyphletError: the file cannot be written.
    """
    write_whole(path, page(title, sections, note))


def page(title: str, sections: Iterable[Section], note: str = "") -> str:
    """The HTML of a report; see `write_report`."""
    sections = list(sections)
    links = "".join(f'<a href="#s{i}">{_safe(section.title)}</a>' for i, section in enumerate(sections))
    bodies = "".join(
        f'<section id="s{i}" aria-labelledby="h{i}"><h2 id="h{i}">{_safe(section.title)}</h2>{section.body}</section>\n'
        for i, section in enumerate(sections)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head>\n<body><main><h1>{_safe(title)}</h1>"
        + _note(note)
        + (f'<nav aria-label="Sections">{links}</nav>' if len(sections) > 1 else "")
        + f"\n{bodies}</main></body></html>\n"
    )


def key_figures(figures: Mapping[str, str | tuple[str, str]], title: str = "Key figures") -> Section:
    """Large figures side by side.

    Args:
        figures: a value by its name, or a value and a remark: `{"CER": ("1.20 %", "0.90 to 1.50 %")}`.
        title: the heading.
    """
    tiles = []
    for name, figure in figures.items():
        value, remark = (figure, "") if isinstance(figure, str) else figure
        soft = f'<dd class="soft">{_safe(remark)}</dd>' if remark else ""
        tiles.append(f'<div class="card"><dt>{_safe(name)}</dt><dd class="value">{_safe(value)}</dd>{soft}</div>')
    return Section(title, f'<dl class="grid tiles">{"".join(tiles)}</dl>')


def score_figures(scores: Scores, more: Mapping[str, str | tuple[str, str]] | None = None) -> Section:
    """The key figures of an evaluation with their intervals, and any others after them."""
    figures: dict[str, str | tuple[str, str]] = {
        "Word accuracy": (percent(scores.word_accuracy), percent_range(scores.word_interval)),
        "Character error rate": (percent(scores.cer), percent_range(scores.cer_interval)),
        "Similarity": (percent(scores.similarity), percent_range(scores.similarity_interval)),
        "Lines": (f"{scores.lines:,}", f"{scores.lines - scores.correct_lines:,} with errors"),
    }
    return key_figures(figures | dict(more or {}))


def training_curves(rows: Sequence[Mapping[str, object]], title: str = "Training") -> Section:
    """Loss (logarithmic where all are above 0), accuracy, learning rate and speed by epoch.

    Args:
        rows: one a logged epoch, as numbers or as the strings of a CSV file, with the keys epoch, train_loss,
            validation_loss, train_accuracy, validation_accuracy, lr, lines_per_second and data_wait. A key that is
            missing, or a value that is no number, is a gap; a chart without any value is left out.
        title: the heading.
    """
    charts = []
    for heading, y_label, columns, options in _CURVES:
        series = {name: _column(rows, key) for key, name in columns.items()}
        seen = [y for points in series.values() for _, y in points if y is not None and math.isfinite(y)]
        if heading == "Loss" and min(seen, default=0.0) > 0:  # the confidence penalty can take a loss below 0
            options = {"log_y": True}
        if seen:
            charts.append(f'<div class="card">{line_chart(series, heading, "epoch", y_label, **options)}</div>')
    return Section(title, f'<div class="grid charts">{"".join(charts)}</div>' if charts else _note("No epochs."))


def _column(rows: Sequence[Mapping[str, object]], key: str) -> list[Point]:
    points = ((_number(row.get("epoch")), _number(row.get(key))) for row in rows)
    return [(x, y) for x, y in points if x is not None]


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def gallery(pictures: Iterable[Picture], title: str = "Lines", note: str = "") -> Section:
    """Pictures of lines, and beside each what was read, what it says and where the two differ.

    Raises:
        ImageError: an image is neither a uint8 array of a line nor a PNG file.
    """
    items = "".join(map(_item, pictures))
    body = f'<ul class="grid lines">{items}</ul>' if items else _note("No lines.")
    return Section(title, _note(note) + body)


def _item(picture: Picture) -> str:
    content, width, height = _png(picture.image)
    named = picture.truth if picture.truth is not None else picture.text
    foot = []
    if picture.truth is not None and picture.truth == picture.text:
        foot.append('<span class="right">✓ right</span>')
    if picture.confidence is not None and math.isfinite(picture.confidence):
        foot.append(f"<span>confidence {100 * picture.confidence:.1f} %</span>")
    if picture.path:
        foot.append(f"<span>{_safe(picture.path)}</span>")
    data = base64.b64encode(content).decode()
    long = " long" if width > _LONG * height else ""
    return (
        f'<li class="card{long}"><div class="wide">'
        f'<img src="data:image/png;base64,{data}" width="{width}" height="{height}" '
        f'alt="Line image: {_safe(named) or "no text"}"></div><dl class="texts">{_texts(picture)}</dl>'
        f'<div class="foot soft">{"".join(foot)}</div></li>'
    )


def _texts(picture: Picture) -> str:
    read, truth = _safe(picture.text), None
    if picture.truth is not None and picture.truth != picture.text:
        read, truth = differences(picture.text, picture.truth)
    shown = [("read", read), ("truth", truth), ("raw", _safe(picture.raw) or None)]
    return "".join(f'<dt>{name}</dt><dd dir="auto">{html}</dd>' for name, html in shown if html is not None)


def differences(read: str, truth: str) -> tuple[str, str]:
    """Both texts as HTML, aligned and with their differences marked.

    A character that differs stands in `<mark>`, a differing space as `·` in `<mark class="space">`; where the other
    text has a character more, there is an empty box.

    >>> differences("a<b", "ab")[1]
    'a<span class="gap" title="extra: &lt;"></span>b'
    """
    read_html, truth_html = [], []
    pairs = alignment(read, truth)
    for same, group in groupby(pairs, key=lambda pair: pair[0] == pair[1]):
        if same:
            text = _safe("".join(r for r, _ in group))
            read_html.append(text)
            truth_html.append(text)
        else:
            for r, t in group:
                said = f"missing: {visible(t)}" if not r else f"extra: {visible(r)}"
                said = f"{visible(r)} read for {visible(t)}" if r and t else said
                read_html.append(_marked(r, said))
                truth_html.append(_marked(t, said))
    return "".join(read_html), "".join(truth_html)


def _marked(char: str, said: str) -> str:
    said = _safe(said)
    if not char:
        return f'<span class="gap" title="{said}"></span>'
    kind = ' class="space"' if char == " " else ""
    # A combining mark is left to join the letter before it; visible() would part the two.
    return f'<mark{kind} title="{said}">{_safe("·" if char == " " else char)}</mark>'


def _png(image: NDArray[np.uint8] | bytes) -> tuple[bytes, int, int]:
    """The bytes of a PNG file, and its width and height in pixels."""
    if isinstance(image, bytes):
        if not image.startswith(b"\x89PNG\r\n\x1a\n") or len(image) < 24:
            raise _not_a_line(f"{len(image)} bytes that are not a PNG file")
        return image, int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise _not_a_line(f"{image.dtype} {image.shape}")
    if image.ndim == 3 and image.shape[2] not in (1, 3):
        raise _not_a_line(f"{image.dtype} {image.shape}")
    pixels = image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", optimize=True)
    return file.getvalue(), image.shape[1], image.shape[0]


def _not_a_line(what: str) -> ImageError:
    return ImageError(
        f"a picture for the report is {what}",
        allowed="uint8 of shape (H, W), (H, W, 1) or (H, W, 3), or the bytes of a PNG file",
        next_step="give the image as `glyphlet.image` decodes it",
    )


def table_section(
    title: str, names: Sequence[str], rows: Iterable[Sequence[str]], note: str = "", signs: bool = False
) -> Section:
    """A table: the first column to the left, the others to the right; `signs` sets it so that l, I and 1 differ."""
    kind = ' class="signs"' if signs else ""
    head = "".join(f'<th scope="col">{_safe(name)}</th>' for name in names)
    body = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    made = f'<div class="card wide fit"><table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return Section(title, _note(note) + (made if body else _note("None.")))


def score_section(scores: Scores, title: str = "Scores") -> Section:
    """All figures with their 95 % intervals."""
    return table_section(title, ("Measure", "Value", "95 % interval"), score_rows(scores))


def confusion_section(scores: Scores, count: int = 30, title: str = "Confusions") -> Section:
    """The most frequent confusions; a space is shown as `·`."""
    shown = confusion_rows(scores.confusions, count)
    note = f"{len(shown)} of {len(scores.confusions)} kinds, most frequent first. A space is shown as ·."
    return table_section(title, ("Truth", "Read", "Times"), shown, note if shown else "", signs=True)


def preformatted(text: str, title: str = "Recipe") -> Section:
    """A text with its line breaks kept, such as a recipe."""
    return Section(title, f'<div class="card"><pre tabindex="0">{_safe(text)}</pre></div>')


def _note(sentence: str) -> str:
    return f'<p class="note">{_safe(sentence)}</p>' if sentence else ""


def _safe(text: str) -> str:
    """Escaped for HTML, attributes too; half a surrogate pair (a file name that is not UTF-8) becomes `\\udc80`."""
    return escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))


__all__ = [
    "Picture",
    "Section",
    "confusion_section",
    "differences",
    "gallery",
    "key_figures",
    "page",
    "preformatted",
    "score_figures",
    "score_section",
    "table_section",
    "training_curves",
    "write_report",
]
