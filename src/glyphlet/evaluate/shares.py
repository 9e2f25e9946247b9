"""Charts of shares with their intervals as inline SVG, in the look of `plot`: by group, and accuracy by confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from glyphlet.evaluate.plot import HEIGHT, STYLE, WIDTH, Axis, axis, grid
from glyphlet.metrics import Interval
from glyphlet.reliability import Bin

_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 16, 40, 48
_STYLE = (
    ".gl-chart .ideal{stroke:var(--soft);stroke-dasharray:5 4;fill:none}.gl-chart .whisker{stroke-width:1.6;fill:none}"
)


@dataclass(frozen=True)
class Share:
    """A share with its interval.

    Args:
        name: what it is of; stands below the chart.
        value: 0 to 1.
        interval: around it.
        said: what a pointer over it says beside these.
    """

    name: str
    value: float
    interval: Interval
    said: str = ""


def share_chart(shares: Sequence[Share], title: str, x_label: str, y_label: str) -> str:
    """Shares side by side, each a dot with its interval.

    Args:
        shares: from left to right.
        title, x_label, y_label: plain text.

    Returns:
        One `<svg>` element with its own style.
    """
    most = max((share.interval.high for share in shares), default=1.0)
    y = axis([0.0, max(most, 0.01)], None, (HEIGHT - _BOTTOM, _TOP))
    y = Axis(0.0, min(y.last, 1.0), y.start, y.stop, False, tuple(t for t in y.ticks if 0 <= t <= 1))
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(shares))
    blank = Axis(0.0, 1.0, _LEFT, WIDTH - _RIGHT, False, ())
    drawn = [grid(blank, y, x_label, y_label)]
    every = max(1, -(-max((len(share.name) for share in shares), default=1) * 7 // max(1, int(step))))
    for i, share in enumerate(shares):
        at = _LEFT + step * (i + 0.5)
        drawn.append(_dot(at, share, y))
        if i % every == 0:
            drawn.append(
                f'<text x="{at:.1f}" y="{HEIGHT - _BOTTOM + 19}" text-anchor="middle">{escape(share.name)}</text>'
            )
    told = "; ".join(f"{share.name}: {_percent(share.value)}" for share in shares)
    return _svg(title, f"{title}: {y_label} by {x_label}; {told}", "".join(drawn))


def reliability_chart(bins: Sequence[Bin], title: str) -> str:
    """A reliability diagram: the share that is right by confidence, with intervals, and the diagonal of a calibrated model.

    Args:
        bins: from `calibration.reliability`.
        title: plain text.
    """
    x, y = axis([], (0.0, 1.0), (_LEFT, WIDTH - _RIGHT)), axis([], (0.0, 1.0), (HEIGHT - _BOTTOM, _TOP))
    drawn = [
        grid(x, y, "mean confidence of a bin", "share right"),
        f'<path class="ideal" d="M{x.at(0):.1f} {y.at(0):.1f}L{x.at(1):.1f} {y.at(1):.1f}"/>',
    ]
    for found in bins:
        said = f"{found.right:,} of {found.count:,} right, confidence {found.low:.3f} to {found.high:.3f}"
        drawn.append(_dot(x.at(found.confidence), Share("", found.accuracy, found.interval, said), y))
    told = "; ".join(f"{_percent(b.accuracy)} right at confidence {_percent(b.confidence)}" for b in bins)
    return _svg(title, f"{title}: {told}", "".join(drawn))


def _dot(at: float, share: Share, y: Axis) -> str:
    low, high = y.at(share.interval.low), y.at(min(share.interval.high, y.last))
    range_ = f"{100 * share.interval.low:.2f} to {100 * share.interval.high:.2f} %"
    said = ": ".join(filter(None, (share.name, f"{_percent(share.value)}, {range_}")))
    said += f"; {share.said}" if share.said else ""
    return (
        f'<g class="c0"><title>{escape(said)}</title>'
        f'<path class="whisker" d="M{at:.1f} {low:.1f}V{high:.1f}M{at - 4:.1f} {low:.1f}h8M{at - 4:.1f} {high:.1f}h8"/>'
        f'<circle cx="{at:.1f}" cy="{y.at(share.value):.1f}" r="4"/></g>'
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _svg(title: str, label: str, drawn: str) -> str:
    return (
        f'<svg class="gl-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg"><style>{STYLE}{_STYLE}</style>'
        f'<text class="title" x="{_LEFT}" y="22">{escape(title)}</text>{drawn}</svg>'
    )


__all__ = ["Share", "reliability_chart", "share_chart"]
