import io
from math import comb

import pytest
from rich.console import Console

from glyphlet.evaluate.paired import compare, paired, paired_section, paired_table
from glyphlet.evaluate.scores import Evaluation, LineResult


def reading(texts, truths):
    return Evaluation.of(
        [LineResult(f"{i}.png", truth, text, 0.5) for i, (text, truth) in enumerate(zip(texts, truths, strict=True))]
    )


@pytest.mark.parametrize(("gained", "lost"), [(0, 5), (5, 0), (3, 9), (7, 7), (40, 61)])
def test_the_chance_is_that_of_a_fair_coin(gained, lost):
    n, few = gained + lost, min(gained, lost)
    exact = min(1.0, 2 * sum(comb(n, k) for k in range(few + 1)) / 2**n)
    assert paired(gained, lost, 500).p == pytest.approx(exact, rel=1e-9)


def test_nothing_differs():
    found = paired(0, 0, 100)
    assert (found.difference, found.p) == (0, 1)
    assert found.interval.low == -found.interval.high < 0


def test_large_counts():
    assert paired(60_000, 59_000, 500_000).p == pytest.approx(0.0038, abs=2e-4)


def test_line_by_line():
    truths = ["a", "b", "c", "d", "e"]
    before, after = reading(["a", "b", "x", "x", "x"], truths), reading(["a", "x", "c", "d", "x"], truths)
    found = compare(before, after)
    assert (found.lines, found.gained, found.lost) == (5, 2, 1)
    assert found.difference == pytest.approx(0.2)
    assert found.interval.low < 0.2 < found.interval.high
    assert found.as_dict()["interval"] == {"low": found.interval.low, "high": found.interval.high}


def test_other_lines_are_refused():
    with pytest.raises(ValueError, match="different lines"):
        compare(reading(["a"], ["a"]), reading(["a", "b"], ["a", "b"]))


def test_both_are_shown():
    before, after = (
        reading(["a", "b", "c", "d"], ["a", "b", "c", "d"]),
        reading(["a", "x", "c", "d"], ["a", "b", "c", "d"]),
    )
    console = Console(file=io.StringIO(), width=120)
    console.print(paired_table(before, after))
    for text in ("100.00 %", "75.00 %", "-25.00 %", "4, 1, 0"):
        assert text in console.file.getvalue()
        assert text in paired_section(before, after).body
