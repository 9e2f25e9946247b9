import io
import itertools
import json
import os
import re
import signal
import threading

import numpy as np
import pytest
import torch
from rich.console import Console

from glyphlet.errors import AlignmentError, CharsetError, CheckpointError, RecipeError, TrainingError
from glyphlet.spec import StartSpec, recipe_from
from glyphlet.train import loop
from glyphlet.train.checkpoint import load_checkpoint, save_checkpoint
from glyphlet.train.log import read_log
from glyphlet.train.progress import Progress
from glyphlet.train.restore import restore_run
from glyphlet.train.start import Begun
from glyphlet.train.task import load_task
from support import part, same, stopped, without_times


def recipe(**train):
    """A few seconds: 96 rendered digits, a dropout head so that random numbers matter."""
    return recipe_from(
        {
            "name": "tiny",
            "model": {"backbone": {"name": "micro", "nh": 4, "depth": 1}, "head": {"name": "ctc", "dropout": 0.1}},
            "charset": {"name": "digits"},
            "augment": [{"name": "shift", "pixels": 2}],
            "data": {"train": {"count": 96, "min_length": 2, "max_length": 3}},
            "train": {"epochs": 3, "batch": 16, "threads": 1, "accelerator": "cpu", "samples": 2, **train},
        },
        "test",
    )


def start(folder, **train):
    torch.manual_seed(0)
    return load_task(recipe(**train)), folder


def fit(folder, **train):
    task, folder = start(folder, **train)
    folder.mkdir(exist_ok=True)
    return loop.fit(task, folder, Console(file=io.StringIO()))


class TestFit:
    def test_a_run_leaves_what_it_promises(self, tmp_path):
        outcome = fit(tmp_path / "run", keep_every=2)
        assert (outcome.reason, outcome.epochs) == ("all epochs done", 3)
        names = sorted(p.name for p in (tmp_path / "run" / "checkpoints").iterdir())
        assert names == ["best.pt", "epoch-0002.pt", "last.pt"]
        rows = read_log(tmp_path / "run" / "log.csv")
        assert [row["epoch"] for row in rows] == [1, 2, 3]
        assert rows[-1]["step"] == outcome.steps
        assert all(0 <= row["data_wait"] <= 1 and row["lines_per_second"] > 0 for row in rows)
        assert rows[-1]["train_loss"] < rows[0]["train_loss"]
        assert list((tmp_path / "run" / "tensorboard").glob("events*"))

    @pytest.mark.parametrize(
        ("stop_at", "train"),
        [
            (2, {}),
            (5, {}),
            (7, {}),
            (5, {"accumulate": 2, "ema": 0.9, "optimizer": "rmsprop", "lr": 0.001}),
            (7, {"ema": 0.5, "optimizer": "sgd", "lr": 0.001, "schedule": "cyclic", "cycle_epochs": 0.6}),
            (4, {"optimizer": "adadelta", "lr": 1}),
        ],
    )
    def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(self, tmp_path, stop_at, train):
        """Stopped in the middle of an epoch (there are 5 batches in one) and at its end."""
        fit(tmp_path / "whole", **train)
        error = stopped(lambda: fit(tmp_path / "parts", **train), at=stop_at)
        assert re.search(r"glyphlet train --resume .*parts", str(error))
        assert error.exit_code == 128 + signal.SIGTERM
        torch.manual_seed(12345)  # whatever happened in between
        np.random.seed(1)
        fit(tmp_path / "parts", **train)
        for name in ("last.pt", "best.pt"):
            whole, parts = (load_checkpoint(tmp_path / run / "checkpoints" / name) for run in ("whole", "parts"))
            assert same(without_times(whole), without_times(parts)), name
        logs = [read_log(tmp_path / run / "log.csv") for run in ("whole", "parts")]
        for a, b in zip(*logs, strict=True):
            assert {k: v for k, v in a.items() if k not in ("seconds", "lines_per_second", "data_wait")} == {
                k: v for k, v in b.items() if k not in ("seconds", "lines_per_second", "data_wait")
            }

    def test_equal_seeds_are_equal_and_others_are_not(self, tmp_path):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            fit(tmp_path / name, seed=seed, epochs=1)
        a, b, c = (load_checkpoint(tmp_path / n / "checkpoints" / "last.pt")["model"] for n in "abc")
        assert same(a, b)
        assert not same(a, c)

    def test_a_finished_run_is_not_trained_again(self, tmp_path):
        fit(tmp_path / "run", epochs=1)
        before = (tmp_path / "run" / "log.csv").read_bytes()
        assert fit(tmp_path / "run", epochs=1).reason == "all epochs done"
        assert (tmp_path / "run" / "log.csv").read_bytes() == before

    def test_early_stopping(self, tmp_path):
        # A rate of nearly nothing: after the first epochs nothing gets better.
        outcome = fit(tmp_path / "run", epochs=50, patience=2, lr=1e-12, schedule="constant")
        assert outcome.reason == "no better result in 2 epochs"
        assert outcome.epochs < 50

    def test_a_target_counts_only_when_the_penalty_has_faded(self, tmp_path):
        outcome = fit(tmp_path / "run", epochs=10, target=1e-9, entropy_until=0.4, lr=1e-3)
        assert outcome.epochs >= 4

    def test_a_loss_that_is_not_finite_stops_with_the_lines_named(self, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.models.heads.ctc.ctc_loss_of_logits", lambda p, labels: p.sum() * float("nan"))
        with pytest.raises(TrainingError, match=r"the loss is nan at update 0 of epoch 1.*rendered train line"):
            fit(tmp_path / "run")
        assert load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["progress"]["step"] == 0

    @pytest.mark.parametrize(
        ("optimizer", "schedule"),
        [
            *itertools.product(["adamw"], ["constant", "step", "multistep", "cosine", "onecycle", "cyclic"]),
            *itertools.product(["adam", "sgd", "rmsprop", "adadelta"], ["onecycle", "cyclic"]),
        ],
    )
    def test_every_optimiser_and_every_schedule_learns(self, tmp_path, optimizer, schedule):
        rate = {"lr": 0.5, "lr_low": 0.05} if optimizer == "adadelta" else {"lr": 1e-3, "lr_low": 1e-4}
        fit(tmp_path / "run", optimizer=optimizer, schedule=schedule, clip=1.0, **rate)
        rows = read_log(tmp_path / "run" / "log.csv")
        assert rows[-1]["train_loss"] < rows[0]["train_loss"]

    def test_accumulated_updates_are_those_of_a_larger_batch(self, tmp_path):
        """The gradient of the mean over all lines, however they were cut into batches: lines and weights are equal."""
        steps, weights = [], []
        for batch, accumulate in ((8, 100), (20, 100), (4, 2), (8, 1)):
            task, folder = start(tmp_path / f"{batch}x{accumulate}", batch=batch, accumulate=accumulate, epochs=1)
            folder.mkdir()
            # Statistics that stand still: in training, normalisation depends on how lines are cut into batches.
            task.recipe = task.recipe.model_copy(update={"start": StartSpec(path="x", freeze=["backbone"])})
            task.begun = Begun("", [], "", "", "")
            task.model.head.dropout.p = 0.0
            steps.append(loop.fit(task, folder, Console(file=io.StringIO())).steps)
            weights.append(task.model.head.linear.weight.detach())
        assert steps[:2] == [1, 1]
        torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=1e-5)
        assert not torch.equal(weights[0], weights[2])
        assert steps[2:] == [10, 10]

    def test_the_averaged_weights_are_validated_and_restored(self, tmp_path):
        fit(tmp_path / "run", ema=0.9)
        state = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")
        assert not same(state["model"], state["average"])
        last = restore_run(tmp_path / "run" / "checkpoints" / "last.pt")
        assert same(dict(last.model.state_dict()), state["average"])
        row = read_log(tmp_path / "run" / "log.csv")[-1]
        read = last.read(last.validation_lines())
        assert read.loss == pytest.approx(row["validation_loss"], rel=1e-5)

    def test_mixed_precision(self, tmp_path):
        outcome = fit(tmp_path / "run", precision="bf16-mixed")
        assert outcome.epochs == 3
        weights = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["model"]
        assert {w.dtype for w in weights.values()} == {torch.float32, torch.int64}

    def test_what_the_machine_cannot_do_is_refused(self, tmp_path):
        with pytest.raises(RecipeError, match=r"train\.accelerator 'tpu'"):
            fit(tmp_path / "run", accelerator="tpu")
        with pytest.raises(RecipeError, match="a CPU has no float16"):
            fit(tmp_path / "run", accelerator="cpu", precision="16-mixed")

    def test_a_changed_charset_cannot_be_resumed(self, tmp_path):
        fit(tmp_path / "run", epochs=1)
        state = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")
        state["charset"]["text"] = "abc"
        save_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt", state)
        with pytest.raises(CheckpointError, match="another charset"):
            fit(tmp_path / "run", epochs=2)

    def test_changed_lines_cannot_be_resumed(self, tmp_path):
        """They would be split elsewhere, and former validation lines would be trained on."""
        fit(tmp_path / "run", epochs=1)
        task, folder = start(tmp_path / "run", epochs=2)
        task.train.indices[:2] = task.train.indices[1::-1]
        with pytest.raises(CheckpointError, match="the lines of this run have changed: its checkpoint knows others"):
            loop.fit(task, folder, Console(file=io.StringIO()))

    def test_two_trainings_do_not_share_a_folder(self, tmp_path, monkeypatch):
        update = loop.Training.update
        refused = []

        def second(self, batch):
            if not refused:
                refused.append(True)
                with pytest.raises(TrainingError, match="another process trains in"):
                    fit(tmp_path / "run", epochs=1)
            return update(self, batch)

        monkeypatch.setattr(loop.Training, "update", second)
        assert fit(tmp_path / "run", epochs=1).epochs == 1
        assert refused

    def test_the_console_shows_both_accuracies_and_samples(self, tmp_path):
        task, folder = start(tmp_path, epochs=1)
        console = Console(record=True, width=200, file=io.StringIO())
        loop.fit(task, folder, console)
        text = console.export_text()
        assert re.search(
            r"epoch +1 +lr .* loss +[\d.]+ / +[\d.]+ +words 0\.\d+ / 0\.\d+ .* lines/s +data wait +\d+%", text
        )
        first = task.validation[0]
        assert re.search(rf"^ +[_\d]{{{first.padded_width // 4}}} => \d* \| {first.text}$", text, re.M)

    def test_off_the_main_thread_it_trains_without_signals(self, tmp_path):
        found = []
        thread = threading.Thread(target=lambda: found.append(fit(tmp_path / "run", epochs=1)))
        thread.start()
        thread.join()
        assert found[0].epochs == 1


class TestCheckpoints:
    def test_a_failed_write_leaves_the_old_file(self, tmp_path, monkeypatch):
        path = tmp_path / "checkpoints" / "last.pt"
        save_checkpoint(path, {"a": 1})

        def full(number):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(TrainingError, match="No space left on device.*free some space"):
            save_checkpoint(path, {"a": 2})
        assert load_checkpoint(path)["a"] == 1
        assert [p.name for p in path.parent.iterdir()] == ["last.pt"]

    @pytest.mark.parametrize("content", [b"", b"junk", None])
    def test_what_is_no_checkpoint_is_refused(self, tmp_path, content):
        path = tmp_path / "last.pt"
        if content is None:
            torch.save({"model": {}}, path)
        else:
            path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"last\.pt is (damaged|not a checkpoint)"):
            load_checkpoint(path)

    def test_bytes_that_have_changed(self, tmp_path):
        path, weights = tmp_path / "last.pt", torch.arange(1000.0)
        save_checkpoint(path, {"model": weights})
        data = bytearray(path.read_bytes())
        place = data.index(weights.numpy().tobytes())
        data[place + 40 : place + 44] = b"rots"
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match=r"last\.pt is damaged .*/data/0 in it is damaged"):
            load_checkpoint(path)

    def test_code_in_a_checkpoint_is_not_run(self, tmp_path):
        class Evil:
            def __reduce__(self):
                return (os.mkdir, (str(tmp_path / "owned"),))

        torch.save({"format": 1, "x": Evil()}, tmp_path / "last.pt")
        with pytest.raises(CheckpointError):
            load_checkpoint(tmp_path / "last.pt")
        assert not (tmp_path / "owned").exists()


class TestTask:
    def write(self, folder, *rows):
        (folder / "labels.txt").write_text("".join(f"{a}\t{b}\n" for a, b in rows), encoding="utf-8")
        return recipe_from({"data": {"train": [str(folder / "labels.txt")]}}, "test")

    def test_the_charset_comes_from_the_labels(self, line_folder):
        task = load_task(recipe_from({"data": {"train": [str(line_folder / "labels.txt")]}}, "test"))
        assert task.model.codec.charset.text == "0123456789"
        assert (len(task.train), len(task.validation)) == (10, 2)

    def test_long_labels_stop_before_the_training(self, line_folder):
        rows = [(f"images/{i}.png", "11111111111111") for i in range(4)]
        with pytest.raises(AlignmentError, match="too long"):
            load_task(self.write(line_folder, *rows))

    def test_unknown_characters_stop_or_are_left_out_and_counted(self, line_folder):
        plain = self.write(line_folder, *[(f"images/{i}.png", "1x" if i == 3 else "12") for i in range(12)])
        digits = {**plain.dump(), "charset": {"name": "digits"}}
        with pytest.raises(CharsetError, match="'x'"):
            load_task(recipe_from(digits, "test"))
        digits["data"]["unknown"] = "drop"
        task = load_task(recipe_from(digits, "test"))
        assert len(task.train) + len(task.validation) == 11
        assert sum((r.unknown for r in task.reports), task.reports[0].unknown.__class__()) == {"x": 1}

    def test_rendering_needs_a_charset(self):
        with pytest.raises(RecipeError, match=r"need a charset.*charset\.name"):
            load_task(recipe_from({"data": {"train": {"count": 4}}}, "test"))

    def test_no_lines_at_all(self):
        with pytest.raises(RecipeError, match="names no training lines"):
            load_task(recipe_from({}, "test"))


def test_progress_is_plain_data():
    assert json.loads(json.dumps(loop.asdict(Progress(best_loss=1.0))))["best_loss"] == 1.0
    assert part("x").options == {}
