"""Limits, and the costs of a network: those of the files that the export writes."""

import math

import pytest

from glyphlet.compress.cost import Meter
from glyphlet.compress.search.limits import QUANTIZED, ROOM, Cost, Gauge, Limits
from glyphlet.errors import CompressionError
from glyphlet.export.onnx import WEIGHTS, export_model
from glyphlet.models.summary import count_parameters
from support import micro

COST = Cost({"float32": 100.0, "float16": 60.0, "int8": 40.0}, 0.5, 9)


@pytest.mark.parametrize(
    ("limits", "weights"),
    [(Limits(), "float32"), (Limits(kb=100), "float32"), (Limits(kb=99.9), "float16"), (Limits(kb=40), "int8"),
     (Limits(kb=39), None), (Limits(kb=50, ms=0.5), "int8"), (Limits(ms=0.49), None), (Limits(ms=0.5), "float32")],
)  # fmt: skip
def test_the_most_exact_storage_that_meets_them(limits, weights):
    assert limits.weights(COST) == weights


def test_int8_is_taken_where_float_is_too_slow():
    cost = Cost({"float32": 100.0, "float16": 60.0, "int8": 40.0, QUANTIZED: 45.0}, 0.5, 9, 0.2)
    kinds = [
        limits.weights(cost)
        for limits in (Limits(ms=0.5), Limits(ms=0.3), Limits(45, 0.3), Limits(44, 0.3), Limits(ms=0.1))
    ]
    assert kinds == ["float32", QUANTIZED, QUANTIZED, None, None]
    assert Limits(ms=0.1).excess(cost) == 2.0
    assert [cost.time(kind) for kind in ("int8", QUANTIZED, None)] == [0.5, 0.2, 0.5]
    assert Cost(**cost.as_dict()) == cost
    assert Cost(**COST.as_dict()) == COST
    assert Limits(ms=0.3).weights(COST) is None


def test_the_file_in_int8_is_measured():
    cost = Gauge(Meter(64), int8=True).cost(micro(nh=40, depth=3))
    assert 0 < cost.ms_int8 < math.inf
    assert cost.kb[QUANTIZED] < 0.7 * cost.kb["float32"]
    assert QUANTIZED not in Gauge(Meter(64)).cost(micro(nh=4)).kb


def test_the_excess_is_a_share():
    assert Limits(kb=20, ms=1).excess(COST) == 2.0
    assert Limits(kb=80, ms=0.1).excess(COST) == 5.0
    assert Limits().excess(COST) == 0.0


def test_what_counts_as_small():
    assert [limits.key(10.0, 2.0) for limits in (Limits(kb=1), Limits(ms=1), Limits(1, 1), Limits())] == [10, 2, 10, 10]
    assert str(Limits(300, 2)) == "300.0 kB and 2.000 ms"
    assert str(Limits()) == "no limit"


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_a_limit_that_is_none(value):
    with pytest.raises(CompressionError, match="--max-ms is .*a number above 0"):
        Limits(ms=value)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_file_is_no_larger(weights, taught, tmp_path):
    """Whatever the export says of the training stands in the room that is kept for it."""
    model = micro(nh=40, depth=3)
    parts = ["transform", "backbone", "pyramid", "neck", "head"]
    facts = {"recipe": "four", "parameters": 10**7, "train_lines": 1000, "epochs": 1000, "updates": 10**7, "seed": 1}
    cost = Gauge(Meter(64, "four", {**facts, "start": {"name": "four", "parts": parts, "new_characters": 0}})).cost(
        model
    )
    assert cost.parameters == count_parameters(model)
    assert cost.ms > 0
    path = tmp_path / "m.onnx"
    facts["start"] = {"name": "four-fit", "parts": parts, "new_characters": 0}
    measured = {"validation_lines": 123456, "validation_word_accuracy": 2 / 3}
    export_model(
        model, path, taught.validation.sources(), name="four-fit", training=facts, measured=measured, weights=weights
    )
    size = path.stat().st_size / 1024
    assert size <= cost.kb[weights] <= size + ROOM
