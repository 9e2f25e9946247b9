"""Training of heads that get the labels: attention and LSTM."""

import io
import os
import re
import signal

import pytest
import torch
from rich.console import Console

from glyphlet.data.loader import LineLoader
from glyphlet.errors import AlignmentError, Interrupted
from glyphlet.spec import recipe_from
from glyphlet.train import loop
from glyphlet.train.checkpoint import load_checkpoint
from glyphlet.train.log import read_log
from glyphlet.train.restore import restore_run
from glyphlet.train.task import load_task
from glyphlet.train.validate import validate
from support import same, without_times

PARTS = {
    "attention": ({"name": "bigru", "hidden": 16}, {"name": "attention", "max_length": 5}),
    "lstm": ({"name": "latent", "features": 64}, {"name": "lstm", "max_length": 4}),
    "lstm both": ({"name": "latent", "features": 64}, {"name": "lstm", "max_length": 4, "bidirectional": True}),
}


def recipe(kind, nh=4, count=48, **data):
    neck, head = PARTS[kind]
    return recipe_from(
        {
            "name": "guided",
            "model": {"backbone": {"name": "micro", "nh": nh, "depth": 1}, "neck": neck, "head": head},
            "image": {"min_width": 128},  # one width: one batch an update
            "charset": {"name": "digits"},
            "augment": [{"name": "shift", "pixels": 2}],
            "data": {"train": {"count": count, "min_length": 2, "max_length": 4}, **data},
            "train": {"epochs": 2, "batch": 16, "threads": 1, "accelerator": "cpu", "samples": 1, "workers": 0},
        },
        "test",
    )


def fit(folder, kind, **settings):
    torch.manual_seed(0)
    task = load_task(recipe(kind, **settings))
    folder.mkdir(exist_ok=True)
    console = Console(record=True, width=200, file=io.StringIO())
    return loop.fit(task, folder, console), task, console.export_text()


@pytest.mark.parametrize("kind", PARTS)
def test_a_run(kind, tmp_path):
    outcome, task, text = fit(tmp_path / "run", kind)
    rows = read_log(tmp_path / "run" / "log.csv")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(row["train_loss"] > 0 and row["validation_loss"] > 0 for row in rows)
    sample = task.validation[0].text  # one sign for each step, the stops shown as blanks
    assert re.search(rf"^ +\d*_* => \d* \| {sample}$", text, re.M)
    restored = restore_run(outcome.folder)
    read = restored.read(task.validation).texts
    assert len(read) == len(task.validation)
    assert all(len(t) <= restored.model.steps(128) for t in read)


@pytest.mark.parametrize(("kind", "stop_at"), [("lstm", 2), ("attention", 3)])
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(kind, stop_at, tmp_path, monkeypatch):
    """Stopped in the middle of an epoch (there are 3 updates in one) and at its end; the LSTM's head has dropout."""
    fit(tmp_path / "whole", kind)
    update = loop.Training.update

    def interrupting(self, *batches):
        value = update(self, *batches)
        if self.progress.step + 1 == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return value

    with monkeypatch.context() as patch:
        patch.setattr(loop.Training, "update", interrupting)
        with pytest.raises(Interrupted):
            fit(tmp_path / "parts", kind)
    torch.manual_seed(12345)
    fit(tmp_path / "parts", kind)
    whole, parts = (load_checkpoint(tmp_path / run / "checkpoints" / "last.pt") for run in ("whole", "parts"))
    assert same(without_times(whole), without_times(parts))


def test_labels_that_are_too_long_stop_before_the_training():
    long = {"train": {"count": 20, "min_length": 6, "max_length": 7}}
    with pytest.raises(AlignmentError) as caught:
        load_task(recipe("attention", **long))
    assert re.search(
        r"labels are too long for a model that writes 5 characters: '\d+' has [67] characters", caught.value.problem
    )
    assert caught.value.allowed == "at most 5 characters"
    assert caught.value.next_step.startswith("set model.head.max_length to 7 or more, mend them, or leave them out")


def test_rendered_lines_that_are_too_long_are_left_out_and_counted():
    endless = {"train": [{"count": 40, "endless": True, "min_length": 4, "max_length": 7}], "unalignable": "drop"}
    task = load_task(recipe("attention", **endless))
    loader = LineLoader(task.train, task.recipe.image, batch=8, endless=task.endless, steps=task.model.steps)
    seen = [text for update in loader.epoch(0) for batch in update for text in batch.texts]
    assert max(map(len, seen)) == 5
    assert loader.left_out == 40 - len(seen) > 0


@pytest.mark.parametrize("kind", ["attention", "lstm", pytest.param("lstm both", marks=pytest.mark.slow)])
def test_sixteen_lines_are_learnt_by_heart(kind):
    torch.manual_seed(0)
    task = load_task(recipe(kind, nh=16, count=20))
    model, loader = task.model, LineLoader(task.train, task.recipe.image, batch=16)
    assert len(task.train) == 16
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for epoch in range(400):
        ((batch,),) = loader.epoch(epoch)
        optimizer.zero_grad()
        model.head.loss(model(batch.images, batch.labels), batch.labels).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        if epoch % 20 == 19:
            result = validate(model, model.head, loader, torch.device("cpu"), 0)
            if result.scores.word_accuracy == 1.0:
                break
    assert result.scores.word_accuracy == 1.0
    assert result.texts == [line.text for line in task.train]
