"""Line charts as inline SVG: no plotting library, no script, no outside file.

The colours come from CSS variables in the chart itself, so a chart follows the reader's light or dark mode wherever it
is pasted. Series differ by dash pattern as well as by colour. Colours after Okabe and Ito ("Color universal design").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float | None]

WIDTH, HEIGHT = 560, 320
"""Size of the drawing in user units; on a page a chart is as wide as its container."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 16, 40, 48
_LIGHT = ("#0072b2", "#c44e00", "#007a5a", "#a8447f", "#7a6200", "#5b5bd6")
_DARK = ("#62b8f0", "#ff9a52", "#3fd0a2", "#ee9ccb", "#e0c341", "#a5a5ff")
_DASHES = ("", "7 4", "2 4", "9 4 2 4", "12 4", "2 2")
_DOTS = 60
"""Series of at most this many points have a dot, with its values, at each."""

STYLE = (
    ".gl-chart{display:block;width:100%;height:auto;font:12px system-ui,sans-serif;color:#1b1f24;"
    "--grid:#d8dde3;--soft:#57606a;"
    + "".join(f"--s{i}:{colour};" for i, colour in enumerate(_LIGHT))
    + "}@media(prefers-color-scheme:dark){.gl-chart{color:#e6e9ed;--grid:#3a424c;--soft:#a3adb8;"
    + "".join(f"--s{i}:{colour};" for i, colour in enumerate(_DARK))
    + "}}.gl-chart text{fill:var(--soft)}.gl-chart .title{fill:currentColor;font-weight:600;font-size:15px}"
    ".gl-chart .key{fill:currentColor}.gl-chart .grid{stroke:var(--grid)}.gl-chart .axis{stroke:var(--soft)}"
    ".gl-chart .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    + "".join(f".gl-chart .c{i}{{stroke:var(--s{i});fill:var(--s{i})}}" for i in range(len(_LIGHT)))
    + ".gl-chart .line{fill:none}"
)


@dataclass(frozen=True)
class Axis:
    """Maps values to user units: `first` lies at `start`, `last` at `stop`."""

    first: float
    last: float
    start: float
    stop: float
    log: bool
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value lies, in user units."""
        first, last, value = (math.log10(v) if self.log else v for v in (self.first, self.last, value))
        return self.start + (value - first) / (last - first) * (self.stop - self.start)


def line_chart(
    series: Mapping[str, Sequence[Point]],
    title: str,
    x_label: str,
    y_label: str,
    y_range: tuple[float, float] | None = None,
    log_y: bool = False,
    from_zero: bool = False,
) -> str:
    """Draw series over a common x axis.

    Args:
        series: points (x, y) by name, in order of x. A y of None, NaN or infinity is a gap, and so is one that is not
            above 0 when `log_y`. A name without any point is left out.
        title, x_label, y_label: plain text.
        y_range: the lowest and highest y to show; what lies outside is drawn at the edge. None fits the data.
        log_y: a logarithmic y axis.
        from_zero: a y axis that fits the data and 0, so that small changes look small. Nothing to `log_y`.

    Returns:
        One `<svg>` element, `WIDTH` by `HEIGHT` user units, with its own style.

    Raises:
        ValueError: `y_range` does not rise, or does not lie above 0 when `log_y`.
    """
    if y_range and (not y_range[0] < y_range[1] or (log_y and y_range[0] <= 0)):
        raise ValueError(f"y_range {y_range} does not rise" + (" from above 0" if log_y else ""))
    runs = {name: found for name, points in series.items() if (found := _runs(points, log_y))}
    points = [point for found in runs.values() for run in found for point in run]
    if points:
        legend, rows = _legend(list(runs))
        x = _linear([p[0] for p in points], None, _LEFT, WIDTH - _RIGHT, fit=False)
        fit_y = _logarithmic if log_y else _linear
        ys = [p[1] for p in points] + ([0.0] if from_zero and not log_y else [])
        y = fit_y(ys, y_range, HEIGHT - _BOTTOM, _TOP + 20 * rows)
        drawn = grid(x, y, x_label, y_label) + legend + _lines(runs, x, y)
    else:
        drawn = f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">No values</text>'
    described = f"{title}: {y_label} by {x_label}" + "".join(f"; {_last(name, found)}" for name, found in runs.items())
    return (
        f'<svg class="gl-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(described)}" '
        f'xmlns="http://www.w3.org/2000/svg"><style>{STYLE}</style>'
        f'<text class="title" x="{_LEFT}" y="22">{escape(title)}</text>{drawn}</svg>'
    )


def _last(name: str, runs: list[list[tuple[float, float]]]) -> str:
    return f"{name} ends at {number(runs[-1][-1][1])}"


def _runs(points: Sequence[Point], log_y: bool) -> list[list[tuple[float, float]]]:
    """The points between gaps, without empty runs."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is not None and math.isfinite(x) and math.isfinite(y) and (y > 0 or not log_y):
            runs[-1].append((float(x), float(y)))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that divides a span into at most `most` parts."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(power * nice for nice in (1, 2, 5, 10, 20) if span / (power * nice) <= most * (1 + 1e-9))


def _linear(
    values: Sequence[float], limits: tuple[float, float] | None, start: float, stop: float, fit: bool = True
) -> Axis:
    """An axis with ticks at nice numbers; without limits and with `fit` it ends at ticks."""
    low, high = limits or (min(values), max(values))
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # a single value, or several that differ by rounding only
        room = abs(low) / 2 or 1.0
        low, high = low - room, high + room
    most = 6 if fit else 9
    step = _step(high - low, most)
    if not fit and all(value.is_integer() for value in values):
        step = max(step, 1.0)  # there is no epoch 1.5
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if fit and limits is None:
        low, high = first * step, last * step
    ticks = [round(i * step, 12 - math.floor(math.log10(step))) for i in range(first, last + 1)]
    room = (high - low) * 1e-9
    return Axis(low, high, start, stop, False, tuple(t for t in ticks if low - room <= t <= high + room))


def _logarithmic(values: Sequence[float], limits: tuple[float, float] | None, start: float, stop: float) -> Axis:
    """An axis with ticks at powers of ten, and at 2 and 5 times these where there are few."""
    low, high = limits or (min(values), max(values))
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = -(-len(powers) // 8)
    factors = (1, 2, 5) if len(powers) <= 3 else (1,)
    ticks = [factor * 10.0**power for power in powers[::every] for factor in factors]
    if limits is None:
        low = max((t for t in ticks if t <= low), default=low)
        high = min((t for t in ticks if t >= high), default=high)
        if math.isclose(low, high, rel_tol=1e-6):  # one value, or one that rounding keeps from its tick
            low, high = low / 10, high * 10
            ticks = [low, low * 10, high]
    return Axis(low, high, start, stop, True, tuple(t for t in ticks if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)))


def axis(
    values: Sequence[float], limits: tuple[float, float] | None, ends: tuple[float, float], log: bool = False
) -> Axis:
    """An axis from user unit to user unit that fits values, or lies between limits."""
    return (_logarithmic if log else _linear)(values, limits, *ends)


def number(value: float) -> str:
    """A value for people: `0.25`, `12,000`, `3e-5`."""
    if value and (abs(value) < 1e-3 or abs(value) >= 1e7):
        digits, _, power = f"{value:.3e}".partition("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{round(value):,}" if abs(value) >= 1e5 else f"{value:,.5g}"


def grid(x: Axis, y: Axis, x_label: str, y_label: str) -> str:
    """Both axes of a chart, with their ticks and labels."""
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = []
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in x.ticks:
        at = x.at(tick)
        parts.append(f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{bottom}" y2="{bottom + 5}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 19}" text-anchor="middle">{number(tick)}</text>')
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>')
    up = (y.start + y.stop) / 2
    parts.append(f'<text x="14" y="{up}" text-anchor="middle" transform="rotate(-90 14 {up})">{escape(y_label)}</text>')
    return "".join(parts)


def _look(i: int) -> str:
    dash = _DASHES[i % len(_DASHES)]
    return f'class="line c{i % len(_LIGHT)}"' + (f' stroke-dasharray="{dash}"' if dash else "")


def _legend(names: Sequence[str]) -> tuple[str, int]:
    """The names below the title, each after a piece of its line, and the number of rows that they fill."""
    parts, x, row = [], _LEFT, 0
    for i, name in enumerate(names):
        wide = 32 + 7 * len(name)  # 7 units: about the width of a letter
        if x > _LEFT and x + wide > WIDTH - _RIGHT:
            x, row = _LEFT, row + 1
        y = 42 + 20 * row
        parts.append(f'<path {_look(i)} d="M{x} {y}h26"/><text class="key" x="{x + 32}" y="{y + 4}">')
        parts.append(f"{escape(name)}</text>")
        x += wide + 20
    return "".join(parts), row + 1


def _lines(runs: Mapping[str, list[list[tuple[float, float]]]], x: Axis, y: Axis) -> str:
    parts = []
    for i, (name, found) in enumerate(runs.items()):
        dots = sum(map(len, found)) <= _DOTS
        for run in found:
            # Outside a given range a line runs along the edge instead of over the title.
            places = [(x.at(px), y.at(min(max(py, y.first), y.last))) for px, py in run]
            parts.append(f'<path {_look(i)} d="M' + "L".join(f"{px:.1f} {py:.1f}" for px, py in places) + '"/>')
            if dots or len(run) == 1:
                for (px, py), (vx, vy) in zip(places, run, strict=True):
                    said = escape(f"{name}: {number(vy)} at {number(vx)}")
                    parts.append(f'<circle class="c{i % len(_LIGHT)}" cx="{px:.1f}" cy="{py:.1f}" r="2.2">')
                    parts.append(f"<title>{said}</title></circle>")
    return "".join(parts)


__all__ = ["HEIGHT", "STYLE", "WIDTH", "Axis", "axis", "grid", "line_chart", "number"]
