"""Points by two measures as inline SVG: what each candidate costs and how well it does, and which of them no other beats.

Of a kind with `plot.line_chart`: no plotting library, no script, no outside file, and colours that follow the reader's light or dark mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from glyphlet.evaluate.plot import HEIGHT, STYLE, WIDTH, Axis, axis, grid, number

_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 16, 72, 48
_RADIUS = 4.5
_STYLE = (
    ".gl-chart .limit{stroke:var(--s3);stroke-width:1.5;stroke-dasharray:6 4}"
    ".gl-chart .front{fill:none;stroke:var(--s0);stroke-width:1.5}"
    ".gl-chart .dim{stroke:var(--soft);fill:var(--soft)}"
    ".gl-chart .open{fill:none;stroke-width:1.5}.gl-chart .chosen{fill:none;stroke:var(--s1);stroke-width:2.5}"
)


@dataclass(frozen=True)
class Dot:
    """A point.

    Args:
        name: told when the pointer rests on it, and beside it if it is the chosen one.
        x, y: its values.
        solid: a filled dot; a ring otherwise.
        front: whether the line of those that no other beats goes through it.
        chosen: circled and named.
    """

    name: str
    x: float
    y: float
    solid: bool = True
    front: bool = False
    chosen: bool = False


def scatter_chart(
    dots: Sequence[Dot],
    title: str,
    x_label: str,
    y_label: str,
    *,
    limit: float | None = None,
    wanted: float | None = None,
    keys: tuple[str, str] = ("", ""),
) -> str:
    """Draw points; x is logarithmic, y goes from 0 to 1.

    Args:
        dots: x above 0; y outside 0 to 1 is drawn at the edge.
        title, x_label, y_label: plain text.
        limit: the most of x, drawn as a line.
        wanted: the least of y, drawn as a line.
        keys: what a filled dot and a ring stand for; empty says nothing.

    Returns:
        One `<svg>` element, `WIDTH` by `HEIGHT` user units, with its own style.
    """
    described = f"{title}: {y_label} by {x_label}" + "".join(
        f"; {dot.name} {number(dot.y)} at {number(dot.x)}" for dot in dots if dot.chosen
    )
    values = [dot.x for dot in dots] + ([limit] if limit is not None else [])
    if dots:
        x = axis(
            [value / 1.1 for value in values] + [value * 1.1 for value in values],
            None,
            (_LEFT, WIDTH - _RIGHT),
            log=True,
        )
        y = axis([], (0.0, 1.0), (HEIGHT - _BOTTOM, _TOP))
        drawn = grid(x, y, x_label, y_label) + _lines(x, y, limit, wanted) + _front(dots, x, y) + _dots(dots, x, y)
        drawn += _keys(keys)
    else:
        drawn = f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">No values</text>'
    return (
        f'<svg class="gl-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(described)}" '
        f'xmlns="http://www.w3.org/2000/svg"><style>{STYLE}{_STYLE}</style>'
        f'<text class="title" x="{_LEFT}" y="22">{escape(title)}</text>{drawn}</svg>'
    )


def _place(dot: Dot, x: Axis, y: Axis) -> tuple[float, float]:
    return x.at(dot.x), y.at(min(max(dot.y, 0.0), 1.0))


def _lines(x: Axis, y: Axis, limit: float | None, wanted: float | None) -> str:
    parts = []
    if limit is not None:
        at = x.at(limit)
        parts.append(f'<path class="limit" d="M{at:.1f} {HEIGHT - _BOTTOM}V{_TOP}"/>')
        parts.append(f'<text x="{at - 5:.1f}" y="{_TOP - 5}" text-anchor="end">limit {number(limit)}</text>')
    if wanted is not None:
        at = y.at(wanted)
        parts.append(f'<path class="limit" d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT + 5}" y="{at + 14:.1f}">wanted {number(wanted)}</text>')
    return "".join(parts)


def _front(dots: Sequence[Dot], x: Axis, y: Axis) -> str:
    """Steps: as much as may be spent, and the best that it buys."""
    places = sorted(_place(dot, x, y) for dot in dots if dot.front)
    if not places:
        return ""
    path = f"M{places[0][0]:.1f} {places[0][1]:.1f}"
    path += "".join(f"H{px:.1f}V{py:.1f}" for px, py in places[1:])
    return f'<path class="front" d="{path}H{WIDTH - _RIGHT}"/>'


def _dots(dots: Sequence[Dot], x: Axis, y: Axis) -> str:
    parts = []
    for dot in dots:
        px, py = _place(dot, x, y)
        look = ("c0" if dot.front else "dim") + ("" if dot.solid else " open")
        said = escape(f"{dot.name}: {number(dot.y)} at {number(dot.x)}")
        parts.append(f'<circle class="{look}" cx="{px:.1f}" cy="{py:.1f}" r="{_RADIUS}"><title>{said}</title></circle>')
        if dot.chosen:
            parts.append(f'<circle class="chosen" cx="{px:.1f}" cy="{py:.1f}" r="{_RADIUS + 4}"/>')
            left = px > WIDTH / 2
            side = f'x="{px - 14:.1f}" text-anchor="end"' if left else f'x="{px + 14:.1f}"'
            parts.append(
                f'<text class="key" {side} y="{py + (18 if py < _TOP + 20 else -10):.1f}">{escape(dot.name)}</text>'
            )
    return "".join(parts)


def _keys(keys: tuple[str, str]) -> str:
    parts, at = [], float(_LEFT)
    for name, look in zip(keys, ("dim", "dim open"), strict=True):
        if name:
            parts.append(f'<circle class="{look}" cx="{at + 5:.1f}" cy="38" r="{_RADIUS}"/>')
            parts.append(f'<text class="key" x="{at + 15:.1f}" y="42">{escape(name)}</text>')
            at += 40 + 7 * len(name)
    return "".join(parts)


__all__ = ["Dot", "scatter_chart"]
