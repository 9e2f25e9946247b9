"""Two processes train as one does with the same batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from torch import distributed, nn

from glyphlet.models.layers.norm import BatchNorm
from glyphlet.train.checkpoint import load_checkpoint
from glyphlet.train.log import read_log
from glyphlet.train.norm import Presence, SharedNorm, share_norms
from support import micro

SOURCE = Path(__file__).parents[2] / "src"
RECIPE = {
    "name": "two",
    # Without biases before batch normalisation: their gradients are nothing but rounding, which Adam scales up.
    "model": {
        "backbone": {"name": "micro", "nh": 4, "depth": 1, "bias": False},
        "neck": {"name": "bigru", "hidden": 4},
        "head": {"name": "ctc"},
    },
    "charset": {"name": "digits"},
    "augment": [{"name": "shift", "pixels": 2}],
    "data": {"train": {"count": 101, "min_length": 1, "max_length": 5, "spacing": "proportional"}},
    "train": {
        "epochs": 3, "batch": 7, "threads": 1, "accelerator": "cpu", "workers": 0, "lr": 0.003, "ema": 0.9,
        "accumulate": 2,
    },
}  # fmt: skip
STOPPING = """
import os, signal
from glyphlet.cli import main
from glyphlet.train import loop

update = loop.Training.update

def stopping(self, batches):
    if self.progress.step == 11 and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGTERM)
    return update(self, batches)

loop.Training.update = stopping
main()
"""


@pytest.fixture
def group(tmp_path):
    """A process group of this process alone."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


class TestSharedNorm:
    @pytest.mark.parametrize("momentum", [0.1, None])
    def test_alone_it_is_the_usual_one(self, group, momentum):
        torch.manual_seed(0)
        usual = nn.BatchNorm2d(3, momentum=momentum)
        nn.init.normal_(usual.weight)
        held = nn.ModuleDict({"norm": nn.BatchNorm2d(3, momentum=momentum)})
        held.norm.load_state_dict(usual.state_dict())
        share_norms(held, Presence())
        assert isinstance(held.norm, SharedNorm)
        for _ in range(3):
            x = torch.randn(4, 3, 5, 6).mul(2).add(100)
            inputs = [x.clone().requires_grad_() for _ in range(2)]
            outputs = [module(i) for module, i in zip((usual, held.norm), inputs, strict=True)]
            torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-4)
            for output in outputs:
                (output**3).sum().backward()
            torch.testing.assert_close(inputs[0].grad, inputs[1].grad, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(held.norm.state_dict(), usual.state_dict())
        torch.testing.assert_close(held.norm.weight.grad, usual.weight.grad, rtol=1e-4, atol=1e-2)
        usual.eval(), held.eval()
        torch.testing.assert_close(held.norm(x), usual(x))

    def test_one_value_takes_the_running_statistics_as_in_one_process(self, group):
        torch.manual_seed(0)
        usual = BatchNorm(3)
        nn.init.uniform_(usual.running_var, 0.5, 2)
        held = nn.ModuleDict({"norm": BatchNorm(3)})
        held.norm.load_state_dict(usual.state_dict())
        share_norms(held, Presence())
        x = torch.randn(1, 3, 1, 1)
        assert torch.equal(held.norm(x), usual(x))
        assert held.norm(x).std() > 0.1
        torch.testing.assert_close(held.norm.state_dict(), usual.state_dict())

    def test_a_model_keeps_its_names_and_weights(self):
        model, images = micro().eval(), torch.rand(1, 1, 32, 64)
        before, read = {name: id(p) for name, p in model.named_parameters()}, model(images)
        names = list(model.state_dict())
        share_norms(model, Presence())
        assert list(model.state_dict()) == names
        assert {name: id(p) for name, p in model.named_parameters()} == before
        assert torch.equal(model(images), read)
        assert not any(isinstance(m, nn.BatchNorm2d) for m in model.modules())


def train(folder, processes, *arguments, program=("-m", "glyphlet"), code=0):
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    done = subprocess.run(
        [sys.executable, *launcher, *program, "train", *map(str, arguments), *([] if "--resume" in arguments else ["--runs", folder])],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode == 0) is (code == 0), done.stderr[-3000:]
    return (folder / "latest").resolve(), done


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("two") / "two.yaml"
    path.write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def two(recipe):
    return train(recipe.parent / "two", 2, recipe)


@pytest.mark.slow
class TestTorchrun:
    def test_the_curves_are_those_of_one_process(self, recipe, two):
        one, _ = train(recipe.parent / "one", 1, recipe)
        rows = [read_log(folder / "log.csv") for folder in (one, two[0])]
        assert len(rows[0]) == 3
        for a, b in zip(*rows, strict=True):
            for key in ("step", "lr", "train_loss", "validation_loss", "train_accuracy", "validation_accuracy"):
                assert b[key] == pytest.approx(a[key], rel=1e-4), key
        states = [load_checkpoint(folder / "checkpoints" / "last.pt") for folder in (one, two[0])]
        for key in ("model", "average"):
            for name, value in states[0][key].items():
                torch.testing.assert_close(states[1][key][name], value, rtol=1e-3, atol=1e-4, msg=name)

    def test_one_of_them_speaks(self, two):
        folder, done = two
        assert done.stdout.count("run folder: ") == 1
        assert done.stdout.count("epoch    3 ") == 1
        assert (folder / "report.html").exists()
        assert len(read_log(folder / "log.csv")) == 3

    def test_with_norms_of_their_own_they_come_close(self, recipe, two):
        own, _ = train(recipe.parent / "own", 2, recipe, "--set", "train.sync_norm=false")
        losses = [[row["train_loss"] for row in read_log(folder / "log.csv")] for folder in (two[0], own)]
        assert losses[0] != pytest.approx(losses[1], rel=1e-4)
        assert losses[0] == pytest.approx(losses[1], rel=0.05)

    def test_both_are_resumed_bit_for_bit(self, recipe, two):
        """One of them is told to stop in the middle of an epoch, and both do."""
        program = recipe.parent / "stopping.py"
        program.write_text(STOPPING, encoding="utf-8")
        head = ("--set", "model.head.dropout=0.3")  # each process draws its own
        whole, _ = train(recipe.parent / "whole", 2, recipe, *head)
        parts, done = train(recipe.parent / "parts", 2, recipe, *head, program=(str(program),), code=1)
        assert "interrupted in epoch 2 after 12 updates" in done.stderr
        train(recipe.parent / "parts", 2, "--resume", parts)
        states = [load_checkpoint(folder / "checkpoints" / "last.pt") for folder in (whole, parts)]
        for key in ("model", "average"):
            for name, value in states[0][key].items():
                assert torch.equal(states[1][key][name], value), name
        randoms = [states[0]["random"]["torch"], states[0]["random_others"][0]["torch"]]
        assert not torch.equal(*randoms)
