"""Reports of a training or an evaluation: one HTML file that holds everything, pictures included.

A report asks for nothing from outside (its own content security policy forbids it), runs no script, and follows the
reader's light or dark mode and the width of the window. Every text from outside is escaped.

    write_report("report.html", "MicroOCR on SVT", [
        score_figures(evaluation.scores),             from figures
        training_curves(rows),                        from curves
        gallery(pictures, "Worst lines"),             from gallery
        preformatted(recipe.to_yaml(), "Recipe"),
    ])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from glyphlet.evaluate.scores import write_whole
from glyphlet.evaluate.style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True)
class Section:
    """A part of a report. `body` is HTML, put into the page as it is: what builds a section escapes its texts."""

    title: str
    body: str


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
    links = "".join(f'<a href="#s{i}">{safe(section.title)}</a>' for i, section in enumerate(sections))
    bodies = "".join(
        f'<section id="s{i}" aria-labelledby="h{i}"><h2 id="h{i}">{safe(section.title)}</h2>{section.body}</section>\n'
        for i, section in enumerate(sections)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{safe(title)}</title><style>{STYLE}</style></head>\n<body><main><h1>{safe(title)}</h1>"
        + note_line(note)
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
        soft = f'<dd class="soft">{safe(remark)}</dd>' if remark else ""
        tiles.append(f'<div class="card"><dt>{safe(name)}</dt><dd class="value">{safe(value)}</dd>{soft}</div>')
    return Section(title, f'<dl class="grid tiles">{"".join(tiles)}</dl>')


def table_section(
    title: str, names: Sequence[str], rows: Iterable[Sequence[str]], note: str = "", signs: bool = False
) -> Section:
    """A table: the first column to the left, the others to the right; `signs` sets it so that l, I and 1 differ."""
    kind = ' class="signs"' if signs else ""
    head = "".join(f'<th scope="col">{safe(name)}</th>' for name in names)
    body = "".join("<tr>" + "".join(f"<td>{safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    made = f'<div class="card wide fit"><table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return Section(title, note_line(note) + (made if body else note_line("None.")))


def preformatted(text: str, title: str = "Recipe") -> Section:
    """A text with its line breaks kept, such as a recipe."""
    return Section(title, f'<div class="card"><pre tabindex="0">{safe(text)}</pre></div>')


def note_line(sentence: str) -> str:
    """A sentence in a smaller, softer type; nothing for an empty one."""
    return f'<p class="note">{safe(sentence)}</p>' if sentence else ""


def safe(text: str) -> str:
    """Escaped for HTML, attributes too; half a surrogate pair (a file name that is not UTF-8) becomes `\\udc80`."""
    return escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))


__all__ = [
    "Section",
    "key_figures",
    "note_line",
    "page",
    "preformatted",
    "safe",
    "table_section",
    "write_report",
]
