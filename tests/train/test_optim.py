import math

import pytest
import torch

from glyphlet.spec import TrainSpec
from glyphlet.train.optim import Average, Schedule, build_optimizer
from support import micro


def rates(epochs=10, per_epoch=10, **spec):
    schedule = Schedule(TrainSpec(epochs=epochs, **spec), per_epoch)
    return [schedule.rate(step) for step in range(schedule.total)]


def test_constant():
    assert set(rates(schedule="constant", lr=0.5)) == {0.5}


def test_step_drops_every_so_many_epochs():
    found = rates(schedule="step", lr=1, step_every=4, gamma=0.5)
    assert [found[0], found[39], found[40], found[80]] == [1, 1, 0.5, 0.25]


def test_multistep_drops_after_its_milestones():
    found = rates(schedule="multistep", lr=1, milestones=[2, 5], gamma=0.1)
    assert [found[19], found[20], found[50]] == pytest.approx([1, 0.1, 0.01])


def test_cosine_warms_up_linearly_and_falls_to_zero():
    found = rates(schedule="cosine", lr=1, warmup=0.2)
    assert found[0] == pytest.approx(1 / 20)
    assert found[9] == pytest.approx(0.5)
    assert max(found) == pytest.approx(1)
    assert found[60] == pytest.approx(0.5 * (1 + math.cos(math.pi * 0.5)), abs=1e-6)
    assert found[99] < 0.001
    assert rates(schedule="cosine", lr=1, warmup=0)[0] == 1


@pytest.mark.parametrize("warmup", [0.1, 0.3, 0.5])
def test_onecycle_equals_torch(warmup):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1)
    # torch puts the peak on a whole number of updates and the end on the last one; ours ends one update later.
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=1000, pct_start=warmup, cycle_momentum=False
    )
    expected = []
    for _ in range(1000):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        reference.step() if len(expected) < 1000 else None
    found = rates(epochs=100, schedule="onecycle", lr=1, warmup=warmup)
    assert found == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("low", "high", "half"), [(0.001, 0.01, 7), (0.0, 1.0, 25)])
def test_cyclic_equals_torch(low, high, half):
    """Rates and momenta, as the digits system with cross-entropy had them (a step size in updates)."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1, momentum=0.9, nesterov=True)
    reference = torch.optim.lr_scheduler.CyclicLR(optimizer, low, high, step_size_up=half)  # momentum .9 to .8
    spec = TrainSpec(epochs=10, optimizer="sgd", schedule="cyclic", lr=high, lr_low=low, cycle_updates=half)
    ours = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1, momentum=0.9, nesterov=True)
    for step in range(100):
        Schedule(spec, 10).set(ours, step)
        for key in ("lr", "momentum"):
            assert ours.param_groups[0][key] == pytest.approx(optimizer.param_groups[0][key], abs=1e-12), step
        optimizer.step()
        reference.step()


def test_a_cycle_in_epochs():
    """Four cycles in 42 epochs of 234 updates: 1,228 updates up, as the source has it."""
    found = rates(epochs=42, per_epoch=234, schedule="cyclic", lr=0.01, lr_low=0.001, cycle_epochs=5.25)
    assert [found[i] for i in (0, 614, 1228, 2456, 3684)] == pytest.approx([0.001, 0.0055, 0.01, 0.001, 0.01])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"schedule": "cyclic"}, [0.9, 0.85, 0.8]),
        ({"schedule": "cyclic", "momentum": 0.5}, [0.5] * 3),
        ({"schedule": "constant"}, [0.9] * 3),
    ],
)
def test_the_momentum_falls_while_a_cyclic_rate_rises(values, expected):
    schedule = Schedule(TrainSpec(optimizer="sgd", cycle_epochs=1, **values), 10)
    assert [schedule.momentum(step) for step in (0, 5, 10)] == pytest.approx(expected)


def test_the_penalty_fades_linearly():
    schedule = Schedule(TrainSpec(epochs=10, entropy=0.4, entropy_until=0.5), 10)
    assert [schedule.entropy(s) for s in (0, 25, 50, 99)] == pytest.approx([0.4, 0.2, 0, 0])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", torch.optim.Adam),
        ("adamw", torch.optim.AdamW),
        ("sgd", torch.optim.SGD),
        ("rmsprop", torch.optim.RMSprop),
        ("adadelta", torch.optim.Adadelta),
    ],
)
def test_biases_and_normalisation_are_not_decayed(name, kind):
    model = micro()
    optimizer = build_optimizer(model, TrainSpec(optimizer=name, weight_decay=0.1))
    assert type(optimizer) is kind
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert {p.ndim > 1 for p in model.parameters() if decay[id(p)] == 0.1} == {True}
    assert {p.ndim > 1 for p in model.parameters() if decay[id(p)] == 0} == {False}
    assert len(decay) == len(list(model.parameters()))


def test_sgd_is_with_nesterov():
    group = build_optimizer(micro(), TrainSpec(optimizer="sgd", momentum=0.9)).param_groups[0]
    assert group["nesterov"] is True
    assert build_optimizer(micro(), TrainSpec(optimizer="sgd", momentum=0)).param_groups[0]["nesterov"] is False


def test_what_is_frozen_or_held_at_its_start():
    model = micro()
    model.backbone.requires_grad_(False)
    optimizer = build_optimizer(model, TrainSpec(weight_decay=0.1), {"head.linear.weight"})
    assert [[tuple(p.shape) for p in g["params"]] for g in optimizer.param_groups] == [[], [(11, 32), (11,)]]


@pytest.mark.parametrize(
    ("spec", "reference"),
    [
        (TrainSpec(optimizer="rmsprop", lr=0.01, weight_decay=0), lambda p: torch.optim.RMSprop(p)),
        (
            TrainSpec(optimizer="rmsprop", lr=0.1, alpha=0.5, weight_decay=0.2),
            lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.5, weight_decay=0.2),
        ),
        (TrainSpec(optimizer="adadelta", lr=1, weight_decay=0), lambda p: torch.optim.Adadelta(p)),
        (
            TrainSpec(optimizer="adadelta", lr=0.5, rho=0.8, weight_decay=0.2),
            lambda p: torch.optim.Adadelta(p, lr=0.5, rho=0.8, weight_decay=0.2),
        ),
    ],
)
def test_their_other_settings_are_those_of_torch(spec, reference):
    models = [torch.nn.Linear(3, 2, bias=False) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    optimizers = [build_optimizer(models[0], spec), reference(models[1].parameters())]
    for _ in range(5):
        for model, optimizer in zip(models, optimizers, strict=True):
            optimizer.zero_grad()
            model(torch.ones(1, 3)).square().sum().backward()
            optimizer.step()
    assert torch.equal(models[0].weight, models[1].weight)


def test_rmsprop_by_hand():
    weight = torch.nn.Parameter(torch.tensor([[2.0]]))
    model = torch.nn.Module()
    model.register_parameter("weight", weight)
    weight.grad = torch.tensor([[3.0]])
    build_optimizer(model, TrainSpec(optimizer="rmsprop", lr=0.1, alpha=0.75, weight_decay=0.5)).step()
    gradient = 3 + 0.5 * 2  # coupled decay
    assert weight.item() == pytest.approx(2 - 0.1 * gradient / (0.25 * gradient**2) ** 0.5)


class TestAverage:
    def model(self):
        model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1))
        with torch.no_grad():
            model[0].weight.fill_(1.0)
        return model

    def test_by_hand(self):
        """The decay is (1 + n) / (10 + n) while that is less."""
        model = self.model()
        average = Average(model, 0.25)
        for made, value in ((1, 2.0), (2, 5.0)):
            with torch.no_grad():
                model[0].weight.fill_(value)
                model[1].running_mean.fill_(value)
                model[1].num_batches_tracked.fill_(made)
            average.update(made)
        first = 1 * 2 / 11 + 2 * 9 / 11
        expected = first * 0.25 + 5 * 0.75
        assert average.weights["0.weight"].item() == pytest.approx(expected)
        mean = (0 * 2 / 11 + 2 * 9 / 11) * 0.25 + 5 * 0.75
        assert average.weights["1.running_mean"].item() == pytest.approx(mean)
        assert average.weights["1.num_batches_tracked"].item() == 2

    def test_what_stands_still_does_not_move_by_a_bit(self):
        model = self.model()
        with torch.no_grad():
            model[0].weight.fill_(0.1)
        average = Average(model, 0.9)
        for made in range(1, 50):
            average.update(made)
        assert torch.equal(average.weights["0.weight"], model[0].weight)

    def test_the_model_lends_its_place(self):
        model = self.model()
        average = Average(model, 0.5)
        with torch.no_grad():
            model[0].weight.fill_(7.0)
        average.swap()
        assert (model[0].weight.item(), average.weights["0.weight"].item()) == (1.0, 7.0)
        average.swap()
        assert (model[0].weight.item(), average.weights["0.weight"].item()) == (7.0, 1.0)
