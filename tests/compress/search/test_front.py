"""Which candidates none beats, who goes on, and which is chosen: by brute force and by hand."""

import random

import pytest

from glyphlet.compress.accuracy import Accuracy
from glyphlet.compress.search.entrants import Entrant, Reading
from glyphlet.compress.search.front import chosen, front, promoted, standing
from glyphlet.compress.search.limits import Cost, Limits
from glyphlet.spec import ModelSpec


def entrant(name, right=0, edits=100, *, kb=10.0, ms=1.0, loss=1.0, weights="float32", failed="", read=True):
    cost = Cost({"float32": kb, "float16": kb / 2, "int8": kb / 4}, ms, 1000)
    made = Entrant(name, ModelSpec(), cost, weights, 0.01, cut=weights is None, failed=failed)
    if read:
        made.readings.append(Reading(0, 10, 1.0, loss, Accuracy(100, right, 400, edits), False))
    return made


def names(entrants):
    return [e.name for e in entrants]


def test_the_front_is_what_none_beats():
    draw = random.Random(0)
    for _ in range(50):
        points = [(draw.randint(1, 8), draw.randint(0, 8)) for _ in range(12)]
        beaten = {
            i for i, (x, y) in enumerate(points) if any((a <= x and b > y) or (a < x and b >= y) for a, b in points)
        }
        found = front(points)
        assert {points[i] for i in found} == {points[i] for i in range(12) if i not in beaten}
        assert len({points[i] for i in found}) == len(found)  # of equals one
    assert front([]) == []


class TestPromoted:
    def test_the_fewest_edits_and_then_the_least_loss(self):
        made = [
            entrant("a", edits=90),
            entrant("b", edits=40),
            entrant("c", edits=400, loss=2),
            entrant("d", edits=900, loss=1),
        ]
        assert names(promoted(made, 4, Limits())) == ["b", "a", "d", "c"]  # beyond 100 % CER the loss decides
        assert names(promoted(made, 2, Limits())) == ["b", "a"]

    def test_not_those_that_failed_or_were_not_read_with(self):
        made = [entrant("a", failed="the loss is nan"), entrant("b", read=False), entrant("c")]
        assert names(promoted(made, 2, Limits())) == ["c"]

    def test_those_to_be_cut_are_compared_among_themselves(self):
        made = [
            entrant("a", edits=1, weights=None),
            entrant("b", edits=2, weights=None),
            entrant("c", edits=50),
            entrant("d", edits=60),
        ]
        assert names(promoted(made, 2, Limits())) == ["a", "c"]
        assert names(promoted(made, 1, Limits())) == ["c"]
        assert names(promoted(made[:2], 1, Limits())) == ["a"]

    def test_of_those_that_have_what_is_wanted_the_smallest(self):
        made = [entrant("a", 99, 1, kb=90), entrant("b", 98, 2, kb=30), entrant("c", 90, 20, kb=3)]
        assert names(promoted(made, 3, Limits(), 0.95)) == ["b", "a", "c"]


class TestChosen:
    def test_the_most_accurate_then_the_fewest_edits_then_the_smallest(self):
        made = [entrant("a", 90, 20), entrant("b", 95, 9), entrant("c", 95, 8, kb=20), entrant("d", 95, 8, kb=10)]
        assert chosen(made, Limits(kb=50)).name == "d"

    @pytest.mark.parametrize(
        ("limits", "name"), [(Limits(kb=50), "b"), (Limits(ms=5), "c"), (Limits(50, 5), "b"), (Limits(), "b")]
    )
    def test_the_smallest_or_the_fastest_that_has_what_is_wanted(self, limits, name):
        made = [
            entrant("a", 99, kb=40, ms=2),
            entrant("b", 96, kb=10, ms=3),
            entrant("c", 95, kb=30, ms=1),
            entrant("d", 90, kb=1, ms=0.1),
        ]
        assert chosen(made, limits, 0.95).name == name

    def test_where_none_has_it_the_most_accurate(self):
        assert chosen([entrant("a", 80), entrant("b", 90, kb=99)], Limits(kb=100), 0.95).name == "b"

    def test_what_the_file_reads_counts(self):
        made = [entrant("a", 99, kb=40), entrant("b", 96, kb=10)]
        made[1].served = Accuracy(100, 93, 400, 20)
        assert chosen(made, Limits(kb=50), 0.95).name == "a"

    def test_nobody(self):
        made = [entrant("a", failed="x"), entrant("b", read=False), entrant("c", weights=None)]
        assert standing(made) == []
        assert chosen(made, Limits(kb=1)) is None
