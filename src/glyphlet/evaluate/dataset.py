"""The findings in a set of lines, for people: a table on the console, and an HTML page with pictures.

    found = audit(lines, rules, test=test)
    console.print(findings_text(found))
    write_page("page.html", found, lines, test)

The page holds everything, pictures included, and runs no script; every text from a label is escaped, and what cannot be
seen in it is shown as `[U+200B]`.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from PIL import Image
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from glyphlet.data.auditing.audit import Audit, Bars
from glyphlet.data.auditing.findings import SEVERITIES, Example, Finding
from glyphlet.data.auditing.labeltext import shown
from glyphlet.data.lineset import LineSet
from glyphlet.errors import GlyphletError
from glyphlet.evaluate.bars import bar_chart, column_chart
from glyphlet.evaluate.report import Section, key_figures, table_section, write_report
from glyphlet.image import decode

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_ROWS = 200
"""Rows of a table on the page."""
_HIGH, _WIDE = 64, 1400
"""Pictures on the page are not larger than this."""
_BROAD = 300
"""An example with a wider picture takes a row of its own."""
_LISTED = ("Most frequent characters", "Scripts and kinds of characters", "Image files")
"""Histograms whose bars have no order of their own."""
_STEPS = " ▁▂▃▄▅▆▇█"


def findings_text(found: Audit, examples: int = 3) -> Text:
    """The findings for the console, the gravest first.

    Args:
        found: what was found.
        examples: how many of each to name.
    """
    if not found.findings:
        return Text("nothing to complain about", style="green")
    told = Text()
    for finding in found.findings:
        kind = finding.kind
        told.append(f"{kind.severity:<8}", _COLOURS[kind.severity]).append(f"{kind.name:<14}", "bold")
        told.append(f"{finding.count:,} {kind.title}")
        told.append(f"; {finding.note}" if finding.note else "").append(f". Next: {kind.advice}\n", "dim")
        for line in _examples(finding, examples):
            told.append(f"{'':8}{line}\n")
    told.rstrip()
    return told


def _examples(finding: Finding, most: int) -> Iterator[str]:
    for example in finding.examples[:most]:
        line = example.origin if example.index < 0 else f"{example.origin} '{shown(example.text)}'"
        line += f" and {example.other_origin} '{shown(example.other_text)}'" if example.other_origin else ""
        yield f"{line}: {example.detail}" if example.detail else line
    if len(finding.lines) > most and finding.examples:
        yield f"and {len(finding.lines) - most:,} more"
    if finding.rows:
        listed = ", ".join(_cell(row) for row in finding.rows[:8])
        yield listed + (f", and {len(finding.rows) - 8:,} more" if len(finding.rows) > 8 else "")


def _cell(row: tuple[str, ...]) -> str:
    """A row of characters in brief: sign or code point, and how often."""
    times = next((cell for cell in row if cell.replace(",", "").isdigit() and cell is not row[0]), "")
    return f"{row[0]} {times} times" if times != "1" else f"{row[0]} once"


def sparkline(bars: Bars) -> str:
    """A histogram in one line of text: `▁▃█▂`.

    >>> sparkline([("1", 1), ("2", 8), ("3", 0)])
    '▁█ '
    """
    most = max((count for _, count in bars), default=0) or 1
    return "".join(_STEPS[-(-count * 8 // most)] for _, count in bars)


def figures_table(found: Audit) -> RenderableType:
    """Numbers and histograms for the console."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in found.figures.items():
        table.add_row(name, Text(value))
    for title, bars in found.histograms.items():
        if title in _LISTED:
            words = [f"{name} {count:,}" for name, count in bars[:10]]
            table.add_row(title, Text("  ".join(words) + ("  ..." if len(bars) > 10 else "")))
        elif len(bars) > 1:
            ends = bars[0][0].split("-")[0], bars[-1][0].split("-")[-1]
            table.add_row(title, Text(f"{ends[0]} {sparkline(bars)} {ends[1]}"))
    return table


def write_page(path: str | Path, found: Audit, lines: LineSet, test: LineSet | None = None) -> None:
    """Write the findings as one HTML file, with pictures of the examples.

    Args:
        path: the file to write.
        found: what was found.
        lines, test: the sets, for their pictures.

    Raises:
        GlyphletError: the file cannot be written.
    """
    note = f"{found.lines:,} lines, checked in {found.seconds:.1f} s. {' '.join(f'{n}.' for n in found.notes)}"
    if found.test_name:
        note = f"Compared with {found.test_name} ({found.test_lines:,} lines). {note}"
    sections = [key_figures(_figures(found), "Summary"), _overview(found)]
    sections += [_finding(finding, lines, test) for finding in found.findings]
    sections.append(_histograms(found))
    write_report(path, f"Check of {found.name}", sections, note)


def _figures(found: Audit) -> dict[str, str | tuple[str, str]]:
    figures: dict[str, str | tuple[str, str]] = {}
    for severity in SEVERITIES[:2]:
        of_it = [f for f in found.findings if f.kind.severity == severity]
        figures[f"{severity.capitalize()}s"] = f"{sum(f.count for f in of_it):,}", f"of {len(of_it)} kinds"
    for name, value in found.figures.items():
        first, _, rest = value.partition(" of " if " of " in value else ", ")
        figures[name] = (first, f"of {rest}" if " of " in value else rest) if rest else value
    return figures


def _overview(found: Audit) -> Section:
    rows = [
        (f"{f.kind.title[:1].upper()}{f.kind.title[1:]}", f.kind.severity, f"{f.count:,}", f.kind.name)
        for f in found.findings
    ]
    return table_section("Findings", ("What", "Severity", "Count", "Name"), rows)


def _finding(finding: Finding, lines: LineSet, test: LineSet | None) -> Section:
    kind = finding.kind
    parts = [f'<p class="note">{_safe(kind.severity)}: {_safe(kind.advice)}. {_safe(finding.note)}</p>']
    if finding.examples:
        items = "".join(_item(example, lines, test) for example in finding.examples)
        parts.append(f'<ul class="grid lines">{items}</ul>')
    more = len(finding.lines) - len(finding.examples)
    if more > 0:
        parts.append(f'<p class="note">and {more:,} more</p>')
    if finding.rows:
        parts.append(table_section("", finding.columns, finding.rows[:_ROWS], signs=True).body)
        if len(finding.rows) > _ROWS:
            parts.append(f'<p class="note">and {len(finding.rows) - _ROWS:,} more</p>')
    return Section(f"{kind.title[:1].upper()}{kind.title[1:]} ({finding.count:,})", "".join(parts))


def _item(example: Example, lines: LineSet, test: LineSet | None) -> str:
    """An example: its picture, its label and what is wrong; the other line below it, if there is one."""
    pictures = [_picture(lines, example.index)]
    html = pictures[0] + (_said("label", example.text) if example.index >= 0 else "")
    if example.other is not None:
        pictures.append(_picture(test if example.in_test and test is not None else lines, example.other))
        html += pictures[1] + _said("other", example.other_text)
    feet = [example.detail, example.origin, example.other_origin]
    foot = "".join(f"<span>{_safe(shown(part))}</span>" for part in feet if part)
    long = " long" if any(int(width) > _BROAD for p in pictures for width in re.findall(r'" width="(\d+)"', p)) else ""
    return f'<li class="card{long}">{html}<div class="foot soft">{foot}</div></li>'


def _said(name: str, text: str) -> str:
    return f'<dl class="texts"><dt>{name}</dt><dd dir="auto">{_marked(text)}</dd></dl>'


def _marked(text: str) -> str:
    """A label as HTML; spaces that matter and what prints nothing are marked."""
    html, plain = [], shown(text)
    if plain == text:
        return _safe(text) or '<span class="soft">(nothing)</span>'
    for piece in _pieces(plain):
        special = piece[0] == "·" or (piece.startswith("[U+") and piece.endswith("]"))
        html.append(f'<mark class="space">{_safe(piece)}</mark>' if special else _safe(piece))
    return "".join(html)


def _pieces(text: str) -> Iterator[str]:
    """A text cut where `shown` put something in."""
    start = i = 0
    while i < len(text):
        stop = i
        if text[i] == "·":
            stop = i + 1
        elif text.startswith("[U+", i) and 0 < text.find("]", i) - i <= 9:
            stop = text.find("]", i) + 1
        if stop > i:
            if start < i:
                yield text[start:i]
            yield text[i:stop]
            start = i = stop
        else:
            i += 1
    if start < len(text):
        yield text[start:]


def _picture(lines: LineSet, index: int) -> str:
    """The image of a line, made smaller when it is large; a sentence when it cannot be read."""
    if index < 0:
        return ""
    try:
        pixels = decode(lines.sample(index).source, 3)
    except GlyphletError:
        return '<p class="soft">no picture</p>'
    image = Image.fromarray(pixels)
    width, height = image.size
    factor = min(1.0, _HIGH / height, _WIDE / width)
    if factor < 1:
        image = image.resize((max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.BILINEAR)
    if (pixels[:, :, :1] == pixels[:, :, 1:]).all():
        image = image.convert("L")
    file = io.BytesIO()
    image.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<div class="wide"><img src="data:image/png;base64,{data}" width="{image.width}" height="{image.height}" '
        f'alt="line image, {width} x {height} pixels"></div>'
    )


def _histograms(found: Audit) -> Section:
    charts = []
    for title, bars in found.histograms.items():
        drawn = bar_chart(bars[:40], title) if title in _LISTED else column_chart(bars, title)
        charts.append(f'<div class="card">{drawn}</div>')
    return Section("Histograms", f'<div class="grid charts">{"".join(charts)}</div>')


def _safe(text: str) -> str:
    """Escaped for HTML; half a surrogate pair (a file name that is not UTF-8) becomes `\\udc80`."""
    return escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))


__all__ = ["figures_table", "findings_text", "sparkline", "write_page"]
