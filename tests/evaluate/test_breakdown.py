import itertools
import re
from collections import Counter
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.test_report import SVG, text_of
from glyphlet.evaluate.breakdown import (
    CharacterErrors,
    by_character,
    by_length,
    by_size,
    by_width,
    character_section,
    size_section,
)
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.metrics import wilson


def line(text, truth, width=0):
    return LineResult("a.png", truth, text, 0.5, width=width)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.text("ab", max_size=6), st.text("ab", max_size=6)), min_size=1, max_size=40),
    st.integers(1, 9),
)
def test_every_line_is_in_one_group(pairs, groups):
    evaluation = Evaluation.of([line("x", "x"), *(line(*pair) for pair in pairs)])
    found = by_size(evaluation, lambda result: len(result.truth), groups)
    assert len(found) <= groups
    for before, after in itertools.pairwise(found):
        assert before.high < after.low
    for group in found:
        inside = [r for r in evaluation.results if group.low <= len(r.truth) <= group.high]
        assert (group.lines, group.wrong) == (len(inside), sum(r.text != r.truth for r in inside))
        assert group.edits == sum(map(evaluation.edits, inside))
    assert sum(group.lines for group in found) == len(evaluation.results)
    assert sum(group.characters for group in found) == evaluation.scores.characters


def test_by_hand():
    evaluation = Evaluation.of([line("A", "a", 10), line("b", "b", 30), line("cX", "cd", 20), line("", "ef", 20)])
    assert [(g.name, g.lines, g.wrong, g.cer) for g in by_length(evaluation)] == [("1", 2, 1, 0.5), ("2", 2, 2, 0.75)]
    assert [(g.name, g.wrong) for g in by_width(evaluation)] == [("10", 1), ("20", 2), ("30", 0)]
    folded = Evaluation.of(evaluation.results, ignore_case=True)
    assert [(g.name, g.wrong) for g in by_length(folded)] == [("1", 0), ("2", 2)]


def test_characters_by_hand():
    pairs = Counter({("a", "a"): 7, ("a", "b"): 2, ("a", ""): 1, ("b", "b"): 5, ("", "c"): 1, ("d", "d"): 4})
    found = by_character(pairs)
    assert found == [
        CharacterErrors("a", 10, 7, 7),
        CharacterErrors("b", 5, 7, 5),
        CharacterErrors("c", 0, 1, 0),
        CharacterErrors("d", 4, 4, 4),
    ]
    assert [entry.errors for entry in found] == [3, 2, 1, 0]
    shown = text_of(character_section(found).body)
    recall, precision = wilson(7, 10), wilson(5, 7)
    assert f"aU+00611070.00 %{100 * recall.low:.2f} to {100 * recall.high:.2f} %7100.00 %" in shown
    assert f"{100 * precision.low:.2f} to {100 * precision.high:.2f} %" in shown
    assert "3 of 3 characters with errors, most errors first; 1 have none" in shown
    assert "U+0064" not in shown


def test_no_error_is_said():
    assert (
        text_of(character_section(by_character(Counter({("a", "a"): 3}))).body) == "Every character was read rightly."
    )


def test_the_chart_has_a_dot_for_each_group():
    evaluation = Evaluation.of([line("x", "a")] + [line("bb", "bb")] * 9)
    body = size_section(by_length(evaluation), "By length", "characters").body
    (svg,) = re.findall(r"<svg.*?</svg>", body)
    titles = [t.text for t in ElementTree.fromstring(svg).iter(f"{SVG}title")]
    low = 100 * wilson(1, 1).low
    assert titles[0] == f"1: 100.00 %, {low:.2f} to 100.00 %; 1 of 1 lines, CER 100.00 %"
    assert titles[1].startswith("2: 0.00 %, 0.00 to ")
    assert "Lines with an error: share of lines by characters; 1: 100.00 %; 2: 0.00 %" in svg
    circles = [float(c.get("cy")) for c in ElementTree.fromstring(svg).iter(f"{SVG}circle")]
    grid = sorted(
        float(g.get("y1")) for g in ElementTree.fromstring(svg).iter(f"{SVG}line") if g.get("class") == "grid"
    )
    assert circles == [pytest.approx(grid[0]), pytest.approx(grid[-1])]
