"""What models cost, and budgets that need nothing or cannot be met."""

import pytest
import torch

from glyphlet.compress.cost import Budget, Meter, shown
from glyphlet.compress.prune import Pruning, prune
from glyphlet.errors import CompressionError
from glyphlet.export.onnx import export_model
from glyphlet.models.summary import count_parameters, multiply_adds
from support import micro


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return micro(nh=8).eval()


def test_counts(model):
    meter = Meter(64)
    assert meter.cost(model, "macs") == multiply_adds(model, 64)
    assert meter.cost(model, "params") == count_parameters(model)
    assert not model.training


def test_the_size_is_that_of_the_file(model, tmp_path):
    facts = {"recipe": "tiny", "epochs": 3}
    export_model(
        model,
        tmp_path / "m.onnx",
        [torch.zeros(30, 60, dtype=torch.uint8).numpy()],
        name="tiny",
        training=facts,
        measured={},
    )
    size = (tmp_path / "m.onnx").stat().st_size
    found = Meter(64, "tiny", facts).cost(model, "kb") * 1024
    assert abs(found - size) < 100  # what the comparison says


def test_a_smaller_model_costs_less(model):
    smaller, meter = prune(model, Pruning(ratio=0.5)).model, Meter(64)
    for kind in ("macs", "params", "kb"):
        assert meter.cost(smaller, kind) < meter.cost(model, kind)


def test_the_time_is_the_median_of_the_runs(model, monkeypatch):
    seconds = iter([9.0] * 5 + [0.001] * 40 + [0.002] * 31 + [0.5] * 29)
    monkeypatch.setattr("glyphlet.compress.cost._seconds", lambda session, line: next(seconds))
    assert Meter(64).cost(model, "ms") == pytest.approx(2.0)


def test_the_time_is_measured(model):
    assert 0 < Meter(64).cost(model, "ms") < 1000


def test_two_models_are_timed_in_turns(model, monkeypatch):
    smaller, meter, asked = prune(model, Pruning(ratio=0.5)).model, Meter(64), []
    times = {"full": iter([3.0, 1.0, 2.0]), "smaller": iter([1.5, 9.0, 0.5])}
    full = meter.exported(model)

    def clock(self, data):
        asked.append("full" if data == full else "smaller")
        return next(times[asked[-1]])

    monkeypatch.setattr(Meter, "milliseconds", clock)
    found = meter.all(model, smaller)
    assert asked == ["full", "smaller"] * 3
    assert found.pop("ms") == (2.0, 1.5)
    assert found == {kind: (meter.cost(model, kind), meter.cost(smaller, kind)) for kind in ("macs", "params", "kb")}


class TestBudget:
    @pytest.mark.parametrize(
        ("kind", "most", "said"),
        [("kb", 61.25, "61.2 kB"), ("ms", 0.5, "0.500 ms"), ("params", 12345, "12,345 parameters")],
    )
    def test_it_is_shown_with_its_unit(self, kind, most, said):
        assert str(Budget(kind, most)) == shown(kind, most) == said

    def test_one_that_needs_nothing(self):
        with pytest.raises(
            CompressionError, match="the target is 90.0 kB, and the full model has 80.0 kB.*30.0 kB or more"
        ):
            Budget("kb", 90).check(80, 30, "the smallest")

    def test_one_that_cannot_be_met(self):
        with pytest.raises(CompressionError, match="20.0 kB cannot be met: .*80.0 kB, and the smallest has 30.0 kB"):
            Budget("kb", 20).check(80, 30, "the smallest")
        Budget("kb", 40).check(80, 30, "the smallest")

    @pytest.mark.parametrize("most", [0, -1, float("nan"), float("inf")])
    def test_a_value_that_is_none(self, most):
        with pytest.raises(CompressionError, match="a number above 0"):
            Budget("ms", most)

    def test_a_kind_that_is_none(self):
        with pytest.raises(CompressionError, match="there is no cost 'bytes'.*macs, params, kb, ms"):
            Budget("bytes", 3)
