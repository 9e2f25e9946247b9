"""One candidate is trained: by which rate, up to where, the same whether it is stopped in between or not; and cut to the limits."""

import copy
import time

import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.compress.accuracy import Bench
from glyphlet.compress.adapt import batches_of, norms_of
from glyphlet.compress.cost import Meter
from glyphlet.compress.search.clock import Clock
from glyphlet.compress.search.cut import cut
from glyphlet.compress.search.entrants import Entrant
from glyphlet.compress.search.halving import Planned, Runner
from glyphlet.compress.search.limits import Cost, Gauge, Limits
from glyphlet.compress.search.race import Race, Steady, averaged, trained_as
from glyphlet.compress.search.space import by_name
from glyphlet.data.loader import LineLoader
from glyphlet.errors import CompressionError
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters
from glyphlet.spec import PartSpec
from support import micro, same

COST = Cost({"float32": 1.0, "float16": 1.0, "int8": 1.0}, 0.1, 100)


def entrant(width=8, **more):
    spec = by_name("micro-2").spec(width, Geometry(), PartSpec(name="ctc"))
    return Entrant(f"micro-2-{width}", spec, COST, more.pop("weights", "float32"), 0.01, speed=100.0, **more)


def weights(training):
    with averaged(training) as model:
        return copy.deepcopy(model.state_dict())


class TestSteady:
    def test_the_rate_does_not_depend_on_how_long_it_will_be_until_it_falls(self):
        short, long = Steady(0.5, 0.0, 1, (60, 90)), Steady(0.5, 0.0, 1, (600, 900))
        assert [short.rate(s) for s in range(60)] == [long.rate(s) for s in range(60)]
        assert short.rate(75) == 0.25
        assert short.rate(90) == 0.0
        assert short.rate(89) == pytest.approx(0.5 / 30)

    def test_it_rises_anew_after_a_cut(self):
        assert [Steady(1.0, 0.0, 1, begun=100).rate(step) for step in (100, 109, 119, 500)] == [0.05, 0.5, 1.0, 1.0]

    def test_the_penalty_fades(self):
        assert [Steady(1.0, 0.2, 40).entropy(step) for step in (0, 20, 40, 90)] == [0.2, 0.1, 0.0, 0.0]

    def test_it_is_put_into_the_optimiser(self):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=9.0)
        Steady(1.0, 0.0, 1).set(optimizer, 9)
        assert optimizer.param_groups[0]["lr"] == 0.5


class TestRace:
    def test_a_training_that_was_stopped_goes_on_to_the_same_weights(self, task, tmp_path):
        steady, never = Steady(0.01, 0.1, 5, (6, 9)), lambda: False
        whole = Race(task, tmp_path / "whole")
        training = whole.training(entrant())
        stand = whole.run(training, 9, steady, never)
        assert (stand.updates, stand.stopped, stand.read.lines) == (9, False, 12)
        parts = Race(task, tmp_path / "parts")  # an epoch has 3 updates
        for upto, caught in ((4, []), (9, [2])):
            stand = parts.run(parts.training(entrant()), upto, steady, never, caught)
            assert stand.updates == (4 if not caught else 5)
        last = parts.training(entrant())
        assert parts.run(last, 9, steady, never).updates == 9
        assert same(weights(last), weights(training))
        assert not same(weights(last), copy.deepcopy(last.model.state_dict()))  # the average is another

    def test_the_time_stops_it_and_it_is_read_with_all_the_same(self, task, tmp_path):
        race = Race(task, tmp_path)
        stand = race.run(race.training(entrant()), 100, Steady(0.01, 0, 1), iter([False, True]).__next__)
        assert (stand.updates, stand.stopped, stand.read.lines) == (2, True, 12)

    def test_what_is_read_is_the_average(self, task, tmp_path):
        race = Race(task, tmp_path)
        training = race.training(entrant())
        stand = race.run(training, 7, Steady(0.01, 0, 1), lambda: False)
        with averaged(training) as model:
            read = Bench(trained_as(task.recipe, entrant()), task.validation).read(copy.deepcopy(model))
        assert stand.read == read

    def test_all_see_the_same_lines(self, task, tmp_path):
        race, seen = Race(task, tmp_path), []
        for width in (4, 8):
            training = race.training(entrant(width))
            update = training.update
            training.update = lambda batches, update=update: (
                seen.append([b.numbers for b in batches]) or update(batches)
            )
            race.run(training, 5, Steady(0.01, 0, 1), lambda: False)
        assert seen[:5] == seen[5:]

    def test_the_speed_is_measured_and_nothing_is_kept_of_it(self, task, tmp_path, monkeypatch):
        """Where nothing but the preparation of the lines takes time."""
        race, given = Race(task, tmp_path), LineLoader.epoch

        def slow(self, *place):
            for update in given(self, *place):
                time.sleep(0.05)
                yield update

        monkeypatch.setattr(LineLoader, "epoch", slow)
        assert 0.05 < race.seconds_an_update(entrant()) < 0.5
        assert not list(tmp_path.rglob("*.pt"))


class TestCut:
    def test_the_least_share_that_meets_the_limits(self, task):
        model = micro(nh=96, depth=2)
        gauge = Gauge(Meter(48))
        full = gauge.cost(model)
        limits = Limits(kb=0.7 * full.kb["int8"])
        smaller, cost = cut(model, limits, gauge.cost, batches_of(task, 48))
        assert limits.weights(cost) is not None
        assert cost.parameters == count_parameters(smaller) < full.parameters
        channels = smaller.backbone.channels[0]
        assert channels % 4 == 0
        wider, _ = cut(model, Limits(kb=0.9 * full.kb["int8"]), gauge.cost, batches_of(task, 48))
        assert wider.backbone.channels[0] > channels
        assert norms_of(smaller)[0].running_mean.abs().sum() > 0
        plain = norms_of(model)[0].running_mean
        assert torch.equal(plain, torch.zeros_like(plain))  # the full one is as it was

    def test_limits_that_no_share_meets(self, task):
        with pytest.raises(CompressionError, match="1.0 kB is not met by a model that loses 90% of every layer"):
            cut(micro(nh=32), Limits(kb=1.0), Gauge(Meter(48)).cost, [])

    def test_in_the_second_rung_and_the_training_goes_on_from_it(self, task, tmp_path):
        gauge = Gauge(Meter(48))
        one = entrant(32, weights=None, cut=True)
        limits = Limits(kb=0.85 * min(gauge.cost(build(one.spec, Geometry(), Charset.named("digits"))).kb.values()))
        written = []
        runner = Runner(
            Race(task, tmp_path),
            limits,
            gauge.cost,
            Clock(100.0),
            [],
            lambda: written.append(one.weights),
            lambda what: False,
        )
        runner.run(one, Planned(0, [one.name], 4, 4, False), 4, "")
        assert (one.weights, one.begun, one.spec.widths) == (None, 0, {})
        runner.run(one, Planned(1, [one.name], 8, 4, True), 8, "")
        assert limits.weights(one.cost) == one.weights is not None
        assert one.cost.kb[one.weights] <= limits.kb
        assert (one.begun, [r.updates for r in one.readings], [r.final for r in one.readings]) == (
            4,
            [4, 8],
            [False, True],
        )
        assert one.spec.widths["backbone.stem.0.out_channels"] < 32
        model = runner.race.training(one).model
        assert (model.spec, model.backbone.channels[0]) == (one.spec, one.spec.widths["backbone.stem.0.out_channels"])
        assert count_parameters(model) == one.cost.parameters
        assert written == [None, one.weights, one.weights]

    def test_one_that_cannot_be_cut_fails_and_says_why(self, task, tmp_path):
        one = entrant(16, weights=None, cut=True)
        runner = Runner(
            Race(task, tmp_path),
            Limits(kb=1.0),
            Gauge(Meter(48)).cost,
            Clock(9.0),
            [],
            lambda: None,
            lambda what: False,
        )
        runner.run(one, Planned(1, [one.name], 4, 4, True), 4, "")
        assert one.failed.startswith("1.0 kB is not met")
        assert one.readings == []
