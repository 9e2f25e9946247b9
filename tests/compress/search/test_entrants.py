"""Which networks take part: the widest that meet the limits, narrower ones, and wider ones to be cut."""

import json

import pytest

from glyphlet.charset import Charset
from glyphlet.compress.accuracy import Accuracy
from glyphlet.compress.search.entrants import WIDER, Entrant, Proposing, Reading
from glyphlet.compress.search.limits import Cost, Limits
from glyphlet.compress.search.space import FAMILIES, LADDERS, by_name, ladders
from glyphlet.errors import CompressionError, RecipeError
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.spec import PartSpec

HEAD = PartSpec(name="ctc")


def proposing(limits, levels=(0, 2), measured=None):
    """Where a network of width w costs w kB and w / 10 ms."""

    def cost(spec):
        if measured is not None:
            measured.append(spec)
        width = spec.backbone.options.get("nh") or spec.backbone.options["width"]
        return Cost({"float32": width, "float16": width / 2, "int8": width / 4}, width / 10, width)

    return Proposing(
        lambda spec: spec, cost, lambda ladder, width: ladder.spec(width, Geometry(), HEAD), limits, levels
    )


class TestProposing:
    def test_the_widest_and_two_below_it(self):
        ladder = by_name("micro-2")  # ..., 24, 32, 48, 64, 96, 128, 192, 256
        found, notes = proposing(Limits(kb=25)).propose([ladder])
        assert [(e.name, e.weights, e.cut) for e in found] == [
            ("micro-2-96", "int8", False), ("micro-2-128-cut", None, True), ("micro-2-48", "float16", False),
        ]  # fmt: skip
        assert notes == []
        assert found[0].kb == 24

    def test_it_is_found_by_halving(self):
        measured = []
        place = proposing(Limits(ms=4.9), measured=measured).widest(by_name("micro-2"))
        assert by_name("micro-2").widths[place] == 48
        assert len(measured) <= 4

    def test_one_that_is_far_too_wide_is_not_cut(self):
        assert WIDER < 8 / 3
        found, _ = proposing(Limits(ms=0.3)).propose([by_name("glyph-3"), by_name("micro-2")])
        assert [e.name for e in found] == ["micro-2-2", "micro-2-4-cut"]

    def test_two_are_cut_at_the_most_and_the_widest_come_first(self):
        found, _ = proposing(Limits(kb=10)).propose(LADDERS[:4])
        assert [e.cut for e in found] == [False, True, False, True, False, False, False, False, False, False]
        assert [e.name for e in found if e.cut] == ["glyph-3-48-cut", "glyph-2-48-cut"]

    def test_where_the_widest_of_all_meets_the_limits_nothing_is_cut(self):
        found, _ = proposing(Limits()).propose([by_name("glyph-3")])
        assert [e.name for e in found] == ["glyph-3-320", "glyph-3-160"]
        assert found[0].weights == "float32"

    @pytest.mark.parametrize(
        ("limits", "problem"),
        [
            (Limits(kb=0.1), "0.1 kB cannot be met on this machine: the smallest candidate is micro-2-2 with 0.5 kB and 0.200 ms.*--max-kb"),
            (Limits(ms=0.01), "0.010 ms cannot be met .*the fastest micro-2-2 with 0.5 kB and 0.200 ms.*Allowed: 0.5 kB or more, and 0.200 ms.*--max-ms"),
            (Limits(0.1, 0.01), "both by the same candidate.*raise one of them"),
        ],
    )  # fmt: skip
    def test_limits_that_cannot_be_met(self, limits, problem):
        with pytest.raises(CompressionError, match=problem):
            proposing(limits).propose([by_name("glyph-3"), by_name("micro-2")])

    def test_a_family_that_cannot_be_built_is_left_out_and_told(self):
        made = proposing(Limits())

        def refuse(spec):
            if spec.backbone.name == "glyph":
                raise RecipeError("8 rows are too few")
            return spec

        found, notes = Proposing(refuse, made.measure, made.spec, Limits()).propose(
            [by_name("glyph-3"), by_name("micro-2")]
        )
        assert [e.name for e in found] == ["micro-2-256", "micro-2-128"]
        assert notes == ["glyph-3: 8 rows are too few."]
        with pytest.raises(CompressionError, match="no family can be built for these images: glyph-3: 8 rows"):
            Proposing(refuse, made.measure, made.spec, Limits()).propose([by_name("glyph-3")])


def test_an_entrant_as_json_and_back():
    reading = Reading(1, 90, 2.5, 0.75, Accuracy(20, 3, 80, 40), True)
    made = Entrant(
        "micro-2-8-cut", by_name("micro-2").spec(8, Geometry(), HEAD), Cost({"float32": 3.0}, 0.1, 5), "float32", 0.01, True, 30, 99.0,
        served=Accuracy(20, 2, 80, 41), readings=[reading],
    )  # fmt: skip
    assert Entrant.of(json.loads(json.dumps(made.as_dict()))) == made
    assert made.read == made.served


class TestSpace:
    @pytest.mark.parametrize("image", [Geometry(), Geometry(height=64, channels=3), Geometry(height=48)])
    def test_every_network_has_the_same_time_steps(self, image):
        for ladder in LADDERS if image.height % 32 == 0 else ladders():
            for width in (ladder.widths[0], ladder.widths[2]):
                model = build(ladder.spec(width, image, HEAD), image, Charset.named("digits"))
                assert (model.time_stride, model.steps(96)) == (4, 24), ladder.name

    def test_names_and_widths(self):
        assert len({ladder.name for ladder in LADDERS}) == len(LADDERS)
        assert all(list(ladder.widths) == sorted(set(ladder.widths)) for ladder in LADDERS)
        assert {ladder.family for ladder in ladders()} == {"glyph", "micro"}
        assert [ladder.name for ladder in ladders(["mobilenetv3_small"])] == ["mobilenetv3"]

    def test_an_unknown_family(self):
        with pytest.raises(CompressionError, match=f"no family 'glyp'.*glyph.*Allowed: {', '.join(FAMILIES)}"):
            ladders(["glyp"])
