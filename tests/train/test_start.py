"""Start from a trained model: what is taken, what stands still, what is refused."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.data.plan import draws
from glyphlet.errors import CheckpointError, Interrupted, ModelFileError, RecipeError
from glyphlet.export.onnx import export_model
from glyphlet.export.storage import SMALLEST, step_sizes
from glyphlet.image import Geometry
from glyphlet.models.heads import HEADS
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec, Recipe, StartSpec, recipe_from
from glyphlet.train import loop
from glyphlet.train.checkpoint import load_checkpoint, save_checkpoint
from glyphlet.train.frozen import freeze, train_mode
from glyphlet.train.imported import save_imported
from glyphlet.train.start import begin, class_dimensions, load_start
from glyphlet.train.task import absolute_paths, load_task
from support import micro, part, trained

CPU = {"threads": 1, "accelerator": "cpu", "workers": 0, "samples": 0}


def model_of(charset="0123456789", head=None, **options):
    spec = ModelSpec(backbone=part("micro", nh=4, depth=1), head=head or part("ctc"), **options)
    return build(spec, Geometry(), Charset.from_text(charset))


def start_of(path, model):
    save_imported(path, model, "old", "a test")
    return load_start(path)


def spec(**values):
    return StartSpec(path="x", **values)


def head_for(name):
    """Neck and head, as the head needs them."""
    neck = part("latent") if HEADS.build(name, {}, 8, Charset.from_text("ab")).single else part("fold")
    return {"neck": neck, "head": part(name)}


class TestCharacters:
    def test_rows_of_shared_characters_are_kept_and_new_ones_are_as_they_were_drawn(self, tmp_path):
        old, new = model_of("abcd"), model_of("xdbya")
        drawn = new.head.linear.weight.clone()
        begun = begin(new, start_of(tmp_path / "old.pt", old), spec())
        assert (begun.kept, begun.new, begun.dropped) == ("dba", "xy", "c")
        for ours, theirs in {0: 0, 2: 4, 3: 2, 5: 1}.items():  # the blank, d, b, a
            assert torch.equal(new.head.linear.weight[ours], old.head.linear.weight[theirs])
            assert new.head.linear.bias[ours] == old.head.linear.bias[theirs]
        for row in (1, 4):
            assert torch.equal(new.head.linear.weight[row], drawn[row])
        assert torch.equal(new.backbone.stem[0].weight, old.backbone.stem[0].weight)
        assert "characters: 3 kept 'dba'; 2 new 'xy'; 1 dropped 'c'" in begun.notes

    @pytest.mark.parametrize("name", list(HEADS))
    def test_every_head_keeps_its_characters(self, tmp_path, name):
        """The logits of shared characters do not change when the charset does, wherever the classes lie."""
        old = model_of("abcd", **head_for(name)).eval()
        new = model_of("xdbya", **head_for(name)).eval()
        with torch.no_grad():  # new characters are never the best, so that decoders take the same way
            begin(new, start_of(tmp_path / "old.pt", old), spec())
            for head in (old.head, new.head):
                head.linear.bias[list(range(1, head.codec.classes))] = 0.0
            old.head.linear.bias[3] = new.head.linear.bias[1] = new.head.linear.bias[4] = -1e4
            image = torch.rand(2, 1, 32, 64)
            a, b = old(image), new(image)
        torch.testing.assert_close(b[..., [0, 2, 3, 5]], a[..., [0, 4, 2, 1]])

    @pytest.mark.parametrize("name", list(HEADS))
    def test_the_dimensions_of_the_classes_are_found(self, name):
        """With a number of classes that no other dimension has, by chance too."""
        charset = "".join(chr(0x4E00 + i) for i in range(1008))
        model = model_of(charset, **head_for(name))
        expected = {
            f"head.{key}": list(tensor.shape).index(1009)
            for key, tensor in model.head.state_dict().items()
            if 1009 in tensor.shape
        }
        assert class_dimensions(model) == expected
        assert "head.linear.weight" in expected

    def test_no_random_number_is_drawn_to_find_them(self):
        model = model_of()
        before = torch.get_rng_state()
        class_dimensions(model)
        assert torch.equal(torch.get_rng_state(), before)

    def test_long_lists_are_cut(self, tmp_path):
        charset = "".join(chr(0x4E00 + i) for i in range(30))
        begun = begin(model_of(charset), start_of(tmp_path / "old.pt", model_of("a")), spec())
        assert f"characters: 0 kept; 30 new {charset[:20]!r}...; 1 dropped 'a'" in begun.notes

    def test_another_order_is_no_change(self, tmp_path):
        begun = begin(model_of("ba"), start_of(tmp_path / "old.pt", model_of("ab")), spec())
        assert "characters: all 2 kept" in begun.notes


class TestParts:
    def test_only_some_are_taken(self, tmp_path):
        old, new = model_of(), model_of()
        linear = new.head.linear.weight.clone()
        begun = begin(new, start_of(tmp_path / "old.pt", old), spec(only=["backbone"]))
        assert torch.equal(new.backbone.stem[0].weight, old.backbone.stem[0].weight)
        assert torch.equal(new.head.linear.weight, linear)
        assert begun.notes[0].endswith("(old): backbone; drawn anew: neck, head")

    def test_another_geometry_is_said(self, tmp_path):
        old = micro(height=32, width_step=8)
        new = micro(height=32, width_step=16)
        assert begin(new, start_of(tmp_path / "old.pt", old), spec()).notes[-1] == (
            "image.width_step is 16; the start was trained with 8"
        )

    def test_a_part_that_does_not_fit_is_named_with_the_way_around_it(self, tmp_path):
        start = start_of(tmp_path / "old.pt", model_of(neck=part("bilstm", hidden=8)))
        with pytest.raises(RecipeError) as caught:
            begin(model_of(neck=part("bilstm", hidden=4)), start, spec())
        assert (
            "does not fit this model in neck, head: neck.rnn.weight_ih_l0 is (32, 32) there and (16, 32) here"
            in str(caught.value)
        )
        assert "its neck is bilstm {'hidden': 8}" in str(caught.value)
        assert "--set 'start.only=[backbone]'" in str(caught.value)

    def test_a_part_that_the_start_lacks(self, tmp_path):
        start = start_of(tmp_path / "old.pt", model_of())
        with pytest.raises(RecipeError, match=r"in neck, head: neck\.rnn\.weight_ih_l0 is missing there and"):
            begin(model_of(neck=part("bigru", hidden=4)), start, spec())

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"only": ["backbon"]}, r"start\.only names 'backbon'.*'backbone'"),
            ({"only": ["head"], "freeze": ["backbone"]}, r"'backbone', whose weights are not taken from the start"),
            ({"freeze": ["head"]}, r"start\.freeze names 'head', and 1 characters are new: 'x'"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, tmp_path, values, message):
        with pytest.raises(RecipeError, match=message):
            begin(model_of("abx"), start_of(tmp_path / "old.pt", model_of("ab")), spec(**values))


WHOLE = {
    "micro": {"backbone": part("micro", nh=4, depth=2)},
    "glyph": {"backbone": part("glyph", stem=8, rows=1, width=16, depth=2)},
    "lstm": {"backbone": part("micro", nh=2), "neck": part("bilstm", hidden=5, layers=2, project=3)},
    "gru": {"backbone": part("micro", nh=2), "neck": part("bigru", hidden=5)},
    "vgg": {"backbone": part("vgg"), "neck": part("bilstm", hidden=4)},
    "fpn": {
        "backbone": part("mobilenetv3_small", scale=0.35, activation="meta_acon", attention="ca", maps="first"),
        "pyramid": part("fpn", variant="a"), "neck": part("bigru", hidden=4),
    },
    "tps": {"transform": part("tps"), "backbone": part("micro", nh=2)},
}  # fmt: skip


class TestModelFiles:
    """A model file is a start like the checkpoint that it was made from."""

    @staticmethod
    def exported(path, model, **options):
        lines = [np.random.default_rng(0).integers(0, 256, (32, 100), dtype=np.uint8)]
        export_model(model, path, lines, name="a model", training={}, measured={}, **options)
        return load_start(path)

    @staticmethod
    def trained(kind):
        torch.manual_seed(0)
        model = build(ModelSpec(**WHOLE[kind]), Geometry(), Charset.from_text("abc"))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                for values in (module.weight, module.bias, module.running_mean):
                    torch.nn.init.normal_(values)
                torch.nn.init.uniform_(module.running_var, 0.5, 2)
        return model.eval()

    @pytest.mark.parametrize("kind", WHOLE)
    def test_every_weight_comes_back_to_the_bit(self, kind, tmp_path):
        model = self.trained(kind)
        start = self.exported(tmp_path / "m.onnx", model)
        assert (start.recipe.model, start.recipe.image, start.recipe.name) == (model.spec, model.geometry, "a-model")
        assert start.charset == model.codec.charset
        assert start.weights.keys() == model.state_dict().keys()
        again = build(start.recipe.model, start.recipe.image, start.charset)
        again.load_state_dict(start.weights)
        x = torch.randn(1, 1, 32, 64)
        assert torch.equal(again.eval()(x), model(x))
        state = model.state_dict()
        assert all(torch.equal(start.weights[name], state[name]) for name in alive_weights(model))

    def test_weights_that_are_equal_are_held_once(self, tmp_path):
        model = model_of("abc").eval()  # its normalisations are all as they begin
        start = self.exported(tmp_path / "m.onnx", model)
        state = {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
        assert all(torch.equal(start.weights[name], value) for name, value in state.items())

    def test_float16(self, tmp_path):
        model = self.trained("glyph")
        start = self.exported(tmp_path / "m.onnx", model, weights="float16")
        for name, value in model.state_dict().items():
            rounded = value.half().float() if value.is_floating_point() and value.numel() >= SMALLEST else value
            assert torch.equal(start.weights[name], rounded), name

    def test_int8(self, tmp_path):
        model = self.trained("glyph")
        start = self.exported(tmp_path / "m.onnx", model, weights="int8")
        for name, value in model.state_dict().items():
            if not value.is_floating_point():
                continue
            stored = value.numel() >= SMALLEST and value.ndim > 1
            steps = torch.tensor(step_sizes(value.numpy())) if stored else torch.tensor(0.0)
            assert torch.all((start.weights[name] - value).abs() <= 0.501 * steps), name

    def test_a_model_that_ships_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.runtime.shipped.WEIGHTS", tmp_path)
        model = self.trained("glyph")
        self.exported(tmp_path / "print.onnx", model)
        monkeypatch.chdir(tmp_path.parent)
        start = load_start(Path("print"))
        assert start.path == tmp_path / "print.onnx"
        assert all(torch.equal(start.weights[name], model.state_dict()[name]) for name in alive_weights(model))
        made = absolute_paths(Recipe.model_validate({"start": {"path": "print"}}))
        assert made.start.path == str(tmp_path / "print.onnx")

    def test_no_random_number_is_drawn(self, tmp_path):
        self.exported(tmp_path / "m.onnx", self.trained("micro"))
        torch.manual_seed(3)
        load_start(tmp_path / "m.onnx")
        after = torch.rand(1)
        torch.manual_seed(3)
        assert torch.equal(after, torch.rand(1))

    def test_a_head_that_writes_class_after_class_is_not_held(self, tmp_path):
        with pytest.raises(CheckpointError, match=r"holds no weights to train on: sequence head.*give the run folder"):
            self.exported(tmp_path / "m.onnx", model_of("abc", part("attention")))


def alive_weights(model):
    """Floating weights that the output depends on: those that a file holds."""
    model.zero_grad()
    model(torch.randn(1, 1, 32, 64)).sum().backward()
    found = {name for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return sorted(found)


class TestStarts:
    def test_no_model_file_there(self, tmp_path):
        with pytest.raises(ModelFileError, match=r"model\.onnx does not exist"):
            load_start(tmp_path / "model.onnx")

    def test_nothing_there(self, tmp_path):
        with pytest.raises(CheckpointError, match=r"there is no checkpoint .*none.* Allowed: .* a model that ships:"):
            load_start(tmp_path / "none")

    def test_a_checkpoint_without_weights(self, tmp_path):
        save_checkpoint(tmp_path / "a.pt", {"recipe": Recipe().dump()})
        with pytest.raises(CheckpointError, match=r"has no 'charset'"):
            load_start(tmp_path / "a.pt")

    def test_averaged_weights_come_first(self, tmp_path):
        start_of(tmp_path / "a.pt", model_of())
        state = load_checkpoint(tmp_path / "a.pt")
        average = {name: torch.full_like(value, 3) for name, value in state["model"].items()}
        save_checkpoint(tmp_path / "a.pt", {**state, "average": average})
        assert load_start(tmp_path / "a.pt").weights["head.linear.bias"].unique().tolist() == [3]


class TestFreeze:
    def test_gradients_and_modes(self):
        model = model_of(neck=part("bigru", hidden=4), head=part("ctc", dropout=0.5))
        frozen = freeze(model, ["backbone.stem", "neck"])
        train_mode(model, frozen)
        assert {n.partition(".")[0] for n, p in model.named_parameters() if p.requires_grad} == {"backbone", "head"}
        assert not model.backbone.stem.training
        assert not any(m.training for m in model.backbone.stem.modules())
        assert model.backbone.blocks.training
        assert model.head.dropout.training
        assert model.neck.rnn.training  # cuDNN passes gradients back to the blocks in this mode only

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (["bakbone"], r"'bakbone', which is no part of this model.*'backbone'.*backbone, neck, head"),
            (["backbone.stm"], r"'backbone\.stem'"),
            (["backbone", "neck", "head"], "leaves nothing to train: backbone, neck, head"),
        ],
    )
    def test_wrong_names(self, names, message):
        with pytest.raises(RecipeError, match=message):
            freeze(model_of(), names)


# -- whole trainings ------------------------------------------------------------------------------------------------------


def recipe(start=None, charset="0123456789", **train):
    values = {
        "name": "tiny",
        "model": {"backbone": {"name": "micro", "nh": 4, "depth": 1}, "head": {"name": "ctc", "dropout": 0.1}},
        "charset": {"text": charset},
        "data": {"train": {"count": 64, "min_length": 2, "max_length": 3}},
        "train": {"epochs": 2, "batch": 16, "entropy": 0, **CPU, **train},
    }
    return recipe_from({**values, "start": start}, "test")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A run folder to start from."""
    folder = tmp_path_factory.mktemp("old")
    trained(folder, recipe(epochs=1))
    return folder


class TestTraining:
    def test_what_is_frozen_does_not_move_by_a_bit(self, old, tmp_path):
        before = load_start(old).weights
        state = trained(tmp_path / "new", recipe({"path": str(old), "freeze": ["backbone"]}, ema=0.9))
        for weights in (state["model"], state["average"]):
            moved = {name for name, value in weights.items() if not torch.equal(value, before[name])}
            assert moved == {"head.linear.weight", "head.linear.bias"}
        assert sum(len(group["params"]) for group in state["optimizer"]["param_groups"]) == 2
        assert len(state["optimizer"]["state"]) == 2
        assert state["start"] == {"name": "tiny", "parts": ["backbone", "neck", "head"], "new_characters": 0}

    @pytest.mark.parametrize("only", [[], ["backbone"], ["neck", "head"]])
    def test_kept_norms_stand_still_but_their_scale_is_trained(self, old, tmp_path, only):
        before = load_start(old).weights
        state = trained(tmp_path / "new", recipe({"path": str(old), "keep_norm": True, "only": only}))["model"]
        statistics = [name for name in before if "running" in name]
        assert statistics
        kept = not only or "backbone" in only
        for name in statistics:
            assert torch.equal(state[name], before[name]) == kept
            scale = name.rpartition(".")[0] + ".weight"
            assert not torch.equal(state[scale], before[scale])

    def test_without_a_rate_it_stays_at_the_start(self, old, tmp_path):
        before = load_start(old).weights
        state = trained(tmp_path / "new", recipe({"path": str(old)}, lr=1e-30, epochs=1))
        torch.testing.assert_close(state["model"]["head.linear.weight"], before["head.linear.weight"], rtol=0, atol=0)

    def test_the_pull_holds_the_weights_near_the_start(self, old, tmp_path):
        before = load_start(old).weights
        away = []
        plain = {"optimizer": "sgd", "momentum": 0, "schedule": "constant", "lr": 0.001, "clip": 0, "weight_decay": 0}
        for weight in (0.0, 500.0):
            state = trained(
                tmp_path / str(weight), recipe({"path": str(old), "keep_weight": weight}, epochs=4, **plain)
            )
            moved = ((state["model"][n] - before[n]).square().sum() for n in before if n.startswith("head"))
            away.append(float(sum(moved)))
        assert 0 < away[1] < 0.2 * away[0]

    def test_the_gradient_of_the_pull(self, old, tmp_path):
        """keep_weight times the way from the start, and nothing on the rows of new characters."""
        made = recipe({"path": str(old), "keep_weight": 2.0}, charset="01234567x")
        task = load_task(made)
        loop.start_from(task)
        training = loop.Training(task, tmp_path, loop.make_fabric(made.train))
        weight = training.model.head.linear.weight
        first = weight.detach().clone()
        with torch.no_grad():
            weight += 0.25
        training.pull.loss().backward()
        expected = torch.full_like(first, 0.5)
        expected[9] = 0
        torch.testing.assert_close(weight.grad, expected)
        decay = {id(p): g["weight_decay"] for g in training.optimizer.param_groups for p in g["params"]}
        assert decay[id(weight)] == 0

    @pytest.mark.parametrize(
        "start",
        [{"freeze": ["backbone"]}, {"keep_weight": 0.5}, {"replay": {"source": {"count": 20}, "share": 0.3}}],
        ids=["freeze", "pull", "replay"],
    )
    def test_a_resumed_run_equals_the_uninterrupted_one(self, old, tmp_path, monkeypatch, start):
        """Even when the start is gone by then."""
        (tmp_path / "start.pt").write_bytes((old / "checkpoints" / "best.pt").read_bytes())
        made = recipe({"path": str(tmp_path / "start.pt"), **start}, charset="0123456789x", ema=0.9, accumulate=2)
        whole = trained(tmp_path / "whole", made)
        update = loop.Training.update

        def interrupting(self, batches):
            value = update(self, batches)
            if self.progress.step in (0, 2):
                os.kill(os.getpid(), signal.SIGTERM)
            return value

        with monkeypatch.context() as patch:
            patch.setattr(loop.Training, "update", interrupting)
            for step in (1, 3):
                with pytest.raises(Interrupted, match=f"after {step} updates"):
                    trained(tmp_path / "parts", made)
        (tmp_path / "start.pt").unlink()
        parts = trained(tmp_path / "parts", made)
        for key in ("model", "average"):
            assert all(torch.equal(parts[key][name], value) for name, value in whole[key].items())
        assert parts["optimizer"]["param_groups"] == whole["optimizer"]["param_groups"]
        assert (
            parts["start"]
            == whole["start"]
            == {"name": "tiny", "parts": ["backbone", "neck", "head"], "new_characters": 1}
        )


class TestReplay:
    def epochs(self, made, count=20):
        task = load_task(made)
        training_lines = task.train
        return task, [draws(len(training_lines), training_lines.weights, 1, e) for e in range(count)]

    def test_the_share_of_an_epoch(self):
        task, drawn = self.epochs(recipe({"path": "x", "replay": {"source": {"count": 50}, "share": 0.2}}))
        new = 64 - len(task.validation)
        assert len(task.train) == new + 50
        assert {len(d) for d in drawn} == {new + round(new / 4)}
        seen = {int(i) for d in drawn for i in d if i >= new}
        assert seen == set(range(new, new + 50))  # every old line has its turn
        assert {(d >= new).sum() for d in drawn} == {round(new / 4)}

    def test_old_lines_do_not_validate(self):
        plain = load_task(recipe()).validation
        task = load_task(recipe({"path": "x", "replay": {"source": {"count": 50}}}))
        assert [line.text for line in task.validation] == [line.text for line in plain]

    def test_those_that_the_new_model_cannot_write_are_left_out_and_said(self, line_folder):
        made = recipe({"path": "x", "replay": {"source": str(line_folder / "labels.txt")}}, charset="0123456")
        task = load_task(made)
        (report,) = [r for r in task.reports if r.name == "replay lines"]
        kept = [f"{i:02d}" for i in range(12) if i < 7 or i > 9]
        assert [line.text for line in task.train][-len(kept) :] == kept
        assert report.unknown_lines.count == 3

    def test_rendered_without_end(self):
        source = {"count": 7, "endless": True}
        task = load_task(recipe({"path": "x", "replay": {"source": source, "share": 0.5}}))
        assert [len(e) for e in task.endless] == [len(task.train)]


class TestExtend:
    def test_new_characters_come_behind_the_old(self, line_folder):
        values = recipe({"path": "x", "extend": True}, charset="531").dump()
        values["data"]["train"] = [str(line_folder / "labels.txt")]
        task = load_task(recipe_from(values, "test"))
        assert task.model.codec.charset.text == "5310246789"

    def test_it_needs_a_charset(self, line_folder):
        values = {**recipe({"path": "x", "extend": True}).dump(), "charset": {}}
        values["data"]["train"] = [str(line_folder / "labels.txt")]
        with pytest.raises(RecipeError, match=r"start\.extend needs a charset"):
            load_task(recipe_from(values, "test"))
