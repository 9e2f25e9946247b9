"""A pruned model is an ordinary one: saved, loaded, trained further, resumed, exported, with another charset, pruned again."""

import io

import numpy as np
import pytest
import torch
from rich.console import Console

from glyphlet.charset import Charset
from glyphlet.cli.train import take_over
from glyphlet.compress.prune import Pruning, prune
from glyphlet.compress.store import save_pruned
from glyphlet.errors import CheckpointError, RecipeError
from glyphlet.export.onnx import export_model
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.runtime.reader import Reader
from glyphlet.spec import ModelSpec, load_recipe, recipe_from
from glyphlet.train import loop
from glyphlet.train.checkpoint import load_checkpoint, save_checkpoint
from glyphlet.train.restore import restore_run
from glyphlet.train.start import begin, class_dimensions, load_start
from glyphlet.train.task import load_task, start_from
from support import part, same, stopped, without_times

MODEL = {"backbone": {"name": "micro", "nh": 6, "depth": 1}, "neck": {"name": "bilstm", "hidden": 6}}
TRAIN = {"epochs": 2, "batch": 16, "threads": 1, "accelerator": "cpu", "samples": 0, "workers": 0}


def recipe(**values):
    lines = {"train": {"count": 64, "min_length": 2, "max_length": 3}}
    return recipe_from(
        {"name": "tiny", "model": MODEL, "charset": {"name": "digits"}, "data": lines, "train": TRAIN, **values}, "test"
    )


def fit(folder, recipe):
    torch.manual_seed(0)
    task = load_task(recipe)
    if not (folder / "checkpoints").exists():
        start_from(task)
    folder.mkdir(exist_ok=True)
    loop.fit(task, folder, Console(file=io.StringIO()))
    return task


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A run of the full model."""
    folder = tmp_path_factory.mktemp("runs") / "full"
    fit(folder, recipe())
    return folder


@pytest.fixture(scope="module")
def pruned(full):
    """A checkpoint of half of its channels, and the model that was written."""
    restored = restore_run(full)
    model = prune(restored.model, Pruning(ratio=0.5)).model
    save_pruned(full.parent / "pruned.pt", model, restored)
    return full.parent / "pruned.pt", model


def lines():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (30, width), dtype=np.uint8) for width in (40, 90, 200)]


def test_it_is_saved_and_loaded(pruned):
    path, model = pruned
    restored = restore_run(path)
    assert restored.model.spec == model.spec == restored.recipe.model
    assert same(restored.model.state_dict(), model.state_dict())
    assert restored.model.neck.rnn.hidden_size == 3
    assert restored.measured == {}  # nothing was measured of it
    assert len(restored.validation_lines())


def test_it_is_exported_and_the_file_can_be_a_start(pruned, tmp_path):
    path, model = pruned
    result = export_model(restore_run(path).model, tmp_path / "m.onnx", lines(), name="small", training={}, measured={})
    assert (result.texts_differing, result.lines) == (0, 200)
    assert Reader(tmp_path / "m.onnx").metadata.training["model"]["widths"] == model.spec.widths
    start = load_start(tmp_path / "m.onnx")
    assert start.recipe.model == model.spec
    again = build(start.recipe.model, start.recipe.image, start.charset).eval()
    begin(again, start, recipe(start={"path": "x"}).start)
    image = torch.rand(1, 1, 32, 64)
    torch.testing.assert_close(again(image), model.eval()(image))


@pytest.mark.parametrize(
    "parts",
    [
        {
            "transform": part("tps", width=2),
            "backbone": part("mobilenetv3_small", scale=0.35, maps="first", attention="ca"),
            "pyramid": part("fpn", width=8, pool="blur"),
        },
        {"backbone": part("micro", nh=4), "head": part("attention", hidden=6, max_length=3)},
        {"backbone": part("micro", nh=4), "neck": part("latent", columns=2), "head": part("lstm", max_length=3)},
        {"backbone": part("glyph", stem=4, width=8, depth=1), "neck": part("subpixel")},
    ],
    ids=lambda parts: "-".join(p.name for p in parts.values()),
)
def test_every_kind_is_exported(parts, tmp_path):
    torch.manual_seed(0)
    model = build(ModelSpec(**parts), Geometry(), Charset.named("digits"))
    model = prune(model, Pruning(ratio=0.5, criterion="fpgm")).model
    result = export_model(model, tmp_path / "m.onnx", lines(), name="small", training={}, measured={})
    assert result.texts_differing == 0


def test_it_is_trained_further_and_resumed_bit_for_bit(pruned, tmp_path):
    path, model = pruned
    values = {"train": TRAIN}
    take_over(values, path, keep_charset=True)  # what `glyphlet train --start` does
    further = recipe(**{**values, "start": {**values["start"], "path": str(path)}})
    assert fit(tmp_path / "whole", further).begun.parts == ["backbone", "neck", "head"]
    stopped(fit, tmp_path / "parts", further, at=3)
    (tmp_path / "r.yaml").write_text(further.to_yaml(), encoding="utf-8")
    assert load_recipe(tmp_path / "r.yaml") == further  # what a run folder keeps is enough
    fit(tmp_path / "parts", load_recipe(tmp_path / "r.yaml"))
    whole, parts = (load_checkpoint(tmp_path / run / "checkpoints" / "last.pt") for run in ("whole", "parts"))
    assert same(without_times(whole), without_times(parts))
    trained = restore_run(tmp_path / "whole").model
    assert trained.spec == model.spec
    assert not torch.equal(trained.head.linear.weight, model.head.linear.weight)


def test_a_run_does_not_go_on_with_other_widths(full, pruned):
    path, _ = pruned
    with pytest.raises(CheckpointError, match=r"model\.widths\.\S+ of this run has changed from its default to 3"):
        fit(full, recipe(model=restore_run(path).recipe.dump()["model"], train={**TRAIN, "epochs": 3}))


@pytest.mark.parametrize(("neck", "head"), [("fold", "ctc"), ("bilstm", "attention"), ("latent", "lstm")])
def test_it_takes_another_charset(neck, head, tmp_path):
    spec = ModelSpec(backbone=part("micro", nh=4), neck=part(neck), head=part(head))
    model = prune(build(spec, Geometry(), Charset.from_text("abcd")), Pruning(ratio=0.5)).model
    full = build(spec, Geometry(), Charset.from_text("abcd"))
    assert class_dimensions(model) == class_dimensions(full)
    more = build(model.spec, Geometry(), Charset.from_text("xdbya"))
    start = load_start(write(tmp_path / "p.pt", model))
    assert begin(more, start, recipe(start={"path": "x"}).start).kept == "dba"
    assert torch.equal(more.head.linear.weight[2], model.head.linear.weight[4])


def write(path, model, **widths):
    """A checkpoint of a model, in whose recipe some widths are others."""
    from glyphlet.train.imported import save_imported

    save_imported(path, model, "old", "a test")
    state = load_checkpoint(path)
    state["recipe"]["model"]["widths"] |= widths
    save_checkpoint(path, {k: v for k, v in state.items() if k != "format"})
    return path


class TestOthers:
    """Checkpoints that another version pruned."""

    @pytest.mark.parametrize(
        ("widths", "problem"),
        [
            ({"backbone.stem.7.out_channels": 2}, "there is no layer 'backbone.stem.7'"),
            ({"backbone.stem.0.out_channels": 99}, "out_channels 99, and the layer is built with 6"),
            ({"backbone.stem.0.out_channels": 2}, "do not fit each other"),
            ({"neck.rnn.hidden_size": 2, "head.linear.in_features": 4}, "size mismatch for neck.rnn.weight_ih_l0"),
        ],
    )
    def test_one_that_this_version_builds_otherwise(self, pruned, tmp_path, widths, problem):
        path = write(tmp_path / "p.pt", pruned[1], **widths)
        with pytest.raises(
            CheckpointError, match=f"holds a pruned model that does not fit its own recipe: .*{problem}"
        ):
            restore_run(path)

    def test_one_without_widths(self, pruned, tmp_path):
        path = tmp_path / "p.pt"
        write(path, pruned[1])
        state = load_checkpoint(path)
        del state["recipe"]["model"]["widths"]
        save_checkpoint(path, {k: v for k, v in state.items() if k != "format"})
        with pytest.raises(CheckpointError, match="does not fit its own recipe: .*size mismatch"):
            restore_run(path)
        with pytest.raises(RecipeError, match=r"the start .* does not fit this model in backbone"):
            begin(load_task(recipe()).model, load_start(path), recipe(start={"path": "x"}).start)

    def test_a_full_model_does_not_start_from_a_pruned_one(self, pruned):
        with pytest.raises(RecipeError, match="pruned: model.widths of its recipe says how"):
            begin(load_task(recipe()).model, load_start(pruned[0]), recipe(start={"path": "x"}).start)

    def test_widths_of_another_form(self, pruned, tmp_path):
        path = write(tmp_path / "p.pt", pruned[1], **{"backbone.stem.0": {"out": 2}})
        with pytest.raises(RecipeError, match=r"model\.widths\.backbone\.stem\.0 is"):
            restore_run(path)
