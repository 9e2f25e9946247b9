import math

import pytest
import torch

from glyphlet.spec import TrainSpec
from glyphlet.train.optim import Schedule, build_optimizer
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


def test_the_penalty_fades_linearly():
    schedule = Schedule(TrainSpec(epochs=10, entropy=0.4, entropy_until=0.5), 10)
    assert [schedule.entropy(s) for s in (0, 25, 50, 99)] == pytest.approx([0.4, 0.2, 0, 0])


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)]
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
