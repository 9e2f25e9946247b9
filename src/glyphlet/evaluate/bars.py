"""Histograms as inline SVG, in the look of `plot`: no script, no outside file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from glyphlet.evaluate.plot import STYLE, WIDTH, number

_ROW, _TOP, _NAMES, _COUNTS = 19, 36, 132, 64
_TALL = 240


def bar_chart(bars: Sequence[tuple[str, int]], title: str) -> str:
    """Horizontal bars, one a row, from the top.

    Args:
        bars: name and count of each.
        title: plain text.

    Returns:
        One `<svg>` element with its own style.
    """
    most = max((count for _, count in bars), default=1) or 1
    room = WIDTH - _NAMES - _COUNTS
    drawn = []
    for i, (name, count) in enumerate(bars):
        y = _TOP + _ROW * i
        short = name if len(name) <= 22 else f"{name[:21]}…"
        drawn.append(
            f'<text class="key" x="{_NAMES - 8}" y="{y + 13}" text-anchor="end">{escape(short)}</text>'
            f'<rect class="c0" stroke="none" x="{_NAMES}" y="{y + 2}" width="{max(1.0, room * count / most):.1f}" height="{_ROW - 5}">'
            f"<title>{escape(name)}: {count:,}</title></rect>"
            f'<text x="{_NAMES + max(1.0, room * count / most) + 6:.1f}" y="{y + 13}">{count:,}</text>'
        )
    return _svg(title, _TOP + _ROW * len(bars) + 6, "".join(drawn), bars)


def column_chart(bars: Sequence[tuple[str, int]], title: str) -> str:
    """Upright bars side by side, for values in order.

    Args:
        bars: name and count of each, from left to right.
        title: plain text.

    Returns:
        One `<svg>` element with its own style.
    """
    most = max((count for _, count in bars), default=1) or 1
    left, bottom = 56, _TALL - 40
    step = (WIDTH - left - 16) / max(1, len(bars))
    every = max(1, -(-max(len(name) for name, _ in bars) * 7 // max(1, int(step)))) if bars else 1
    drawn = [
        f'<line class="axis" x1="{left}" x2="{WIDTH - 16}" y1="{bottom}" y2="{bottom}"/>'
        f'<text x="{left - 6}" y="{_TOP + 8}" text-anchor="end">{number(most)}</text>'
        f'<text x="{left - 6}" y="{bottom}" text-anchor="end">0</text>'
        f'<line class="grid" x1="{left}" x2="{WIDTH - 16}" y1="{_TOP + 4}" y2="{_TOP + 4}"/>'
    ]
    for i, (name, count) in enumerate(bars):
        tall = (bottom - _TOP - 4) * count / most
        x = left + step * i
        if count:
            drawn.append(
                f'<rect class="c0" stroke="none" x="{x + step * 0.08:.1f}" y="{bottom - max(1.0, tall):.1f}" '
                f'width="{step * 0.84:.1f}" height="{max(1.0, tall):.1f}"><title>{escape(name)}: {count:,}</title></rect>'
            )
        if i % every == 0:
            drawn.append(f'<text x="{x + step / 2:.1f}" y="{bottom + 17}" text-anchor="middle">{escape(name)}</text>')
    return _svg(title, _TALL, "".join(drawn), bars)


def _svg(title: str, height: int, drawn: str, bars: Sequence[tuple[str, int]]) -> str:
    most = max(bars, key=lambda bar: bar[1], default=("", 0))
    label = f"{title}: most often {most[0]} ({most[1]:,})" if bars else title
    return (
        f'<svg class="gl-chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg"><style>{STYLE}</style>'
        f'<text class="title" x="8" y="22">{escape(title)}</text>{drawn}</svg>'
    )


__all__ = ["bar_chart", "column_chart"]
