"""Scatter charts: where points lie, the limit, the steps of the front, and that texts are escaped."""

import re
from xml.etree import ElementTree

import pytest

from glyphlet.evaluate.scatter import Dot, scatter_chart

DOTS = [Dot("a", 10, 0.5, front=True), Dot("b", 100, 0.9, front=True, chosen=True), Dot("c<&", 100, 0.2, solid=False)]


def places(chart):
    tree = ElementTree.fromstring(chart)
    ns = "{http://www.w3.org/2000/svg}"
    return {
        c.find(f"{ns}title").text: (float(c.get("cx")), float(c.get("cy")), c.get("class"))
        for c in tree.iter(f"{ns}circle")
        if len(c)
    }


def test_equal_values_lie_above_each_other_and_x_is_logarithmic():
    found = places(scatter_chart([*DOTS, Dot("d", 1000, 0.0)], "t", "kB", "accuracy"))
    a, b, c, d = (found[name] for name in ("a: 0.5 at 10", "b: 0.9 at 100", "c<&: 0.2 at 100", "d: 0 at 1,000"))
    assert b[0] == c[0]
    assert b[0] - a[0] == pytest.approx(d[0] - b[0], abs=0.2)
    assert (a[1] - b[1]) / (c[1] - b[1]) == pytest.approx(0.4 / 0.7, abs=0.01)
    assert [look for *_, look in (a, c)] == ["c0", "dim open"]


def test_the_front_goes_in_steps():
    chart = scatter_chart(DOTS, "t", "kB", "accuracy")
    found = places(chart)
    (ax, ay, _), (bx, by, _) = found["a: 0.5 at 10"], found["b: 0.9 at 100"]
    assert re.search(r'class="front" d="([^"]*)H', chart)[1] == f"M{ax} {ay}H{bx}V{by}"


def test_limit_wish_and_the_chosen_are_named():
    chart = scatter_chart(DOTS, "Cost & use", "kB", "accuracy", limit=50, wanted=0.95, keys=("long", "short"))
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", chart)
    assert {"limit 50", "wanted 0.95", "b", "long", "short", "Cost &amp; use"} <= set(texts)
    assert 'aria-label="Cost &amp; use: accuracy by kB; b 0.9 at 100"' in chart
    assert "limit" not in re.findall(r"<text[^>]*>([^<]*)</text>", scatter_chart(DOTS, "t", "kB", "accuracy"))


def test_a_limit_far_away_is_on_the_chart():
    chart = scatter_chart(DOTS[:1], "t", "kB", "accuracy", limit=5000)
    at = float(re.search(r'class="limit" d="M([\d.]+)', chart)[1])
    assert places(chart)["a: 0.5 at 10"][0] < at <= 560 - 16


def test_nothing_to_draw():
    assert ">No values</text>" in scatter_chart([], "t", "kB", "accuracy")
