"""Adaptive batch normalisation: the statistics are those of the lines, worked out by hand, and nothing else changes."""

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.compress.accuracy import Accuracy, Bench, check_deciding, digest_of, lines_of
from glyphlet.compress.adapt import adapt, batches_of, norms_of
from glyphlet.data.loader import Batch
from glyphlet.errors import CompressionError, LabelError
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec, apply_settings, recipe_from
from glyphlet.train.restore import Restored
from glyphlet.train.task import load_task
from support import TINY, micro, part, same, tiny_recipe


def batch(*shape, seed=0):
    images = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    return Batch(images, [[1]] * shape[0], ["0"] * shape[0], list(range(shape[0])))


def first(model):
    """The first convolution of the micro network and its normalisation."""
    conv = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
    return conv, norms_of(model)[0]


def test_the_statistics_are_those_of_the_values():
    torch.manual_seed(0)
    model, batches = micro(), [batch(3, 1, 32, 64), batch(5, 1, 32, 96, seed=1)]
    conv, norm = first(model)
    norm.running_mean.fill_(7.0)  # of before; nothing of it stays
    adapt(model, batches)
    with torch.no_grad():
        values = [conv(b.images).movedim(1, 0).flatten(1) for b in batches]  # (C, values)
    counts = torch.tensor([float(v.shape[1]) for v in values])
    assert counts.tolist()[1] == 2.5 * counts.tolist()[0]
    torch.testing.assert_close(norm.running_mean, torch.cat(values, 1).mean(1))
    variances = torch.stack([v.var(1) for v in values])  # as torch does: unbiased, within each batch
    torch.testing.assert_close(norm.running_var, (counts @ variances) / counts.sum())


def test_batches_of_equal_size_count_as_with_a_cumulative_average():
    """torch's own way as a second method: momentum None over the same batches."""
    torch.manual_seed(0)
    model, other = micro(depth=2), micro(depth=2)
    other.load_state_dict(model.state_dict())
    batches = [batch(4, 1, 32, 64, seed=i) for i in range(3)]
    adapt(model, batches)
    for norm in norms_of(other.eval()):
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        for b in batches:
            other(b.images)
    for a, b in zip(norms_of(model), norms_of(other), strict=True):
        torch.testing.assert_close(a.running_mean, b.running_mean)
        torch.testing.assert_close(a.running_var, b.running_var)


def test_nothing_but_the_statistics_changes_and_nothing_is_dropped():
    torch.manual_seed(0)
    spec = ModelSpec(backbone=part("micro", nh=4), neck=part("bilstm", hidden=4), head=part("ctc", dropout=0.5))
    model, other = (build(spec, Geometry(), Charset.named("digits")) for _ in range(2))
    other.load_state_dict(model.state_dict())
    before = {k: v.clone() for k, v in model.state_dict().items()}
    momenta = [norm.momentum for norm in norms_of(model)]
    batches = [batch(4, 1, 32, 64), batch(4, 1, 32, 64, seed=1)]
    adapt(model, batches)
    adapt(other, batches)  # another state of the random generator, if one were used
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.rpartition(".")[2] for name in changed} == {"running_mean", "running_var", "num_batches_tracked"}
    assert same(model.state_dict(), other.state_dict())
    assert [norm.momentum for norm in norms_of(model)] == momenta
    assert not any(module.training or module._forward_pre_hooks for module in model.modules())
    assert all(p.grad is None for p in model.parameters())


def test_what_was_before_does_not_matter():
    torch.manual_seed(0)
    model, b = micro(), [batch(4, 1, 32, 64)]
    adapt(model, b)
    once = {k: v.clone() for k, v in model.state_dict().items() if "running" in k}
    adapt(model, [batch(4, 1, 32, 64, seed=9)])
    adapt(model, b)
    assert same({k: v for k, v in model.state_dict().items() if "running" in k}, once)


def test_a_layer_that_sees_single_values_keeps_its_statistics():
    """The small network of Meta-ACON sees one value of a channel for each line."""
    torch.manual_seed(0)
    spec = ModelSpec(backbone=part("mobilenetv3_small", scale=0.35, activation="meta_acon"))
    model = build(spec, Geometry(), Charset.named("digits"))
    single = next(norm for name, norm in model.named_modules() if name.endswith("squeeze_norm"))
    for lines, kept in ((1, True), (3, False)):
        before = single.running_mean.clone()
        adapt(model, [batch(lines, 1, 32, 64)])
        assert torch.equal(single.running_mean, before) == kept


def test_a_guided_head_is_given_the_labels():
    torch.manual_seed(0)
    spec = ModelSpec(backbone=part("micro", nh=4), head=part("attention", hidden=6, max_length=3))
    model = build(spec, Geometry(), Charset.named("digits"))
    norm = norms_of(model)[0]
    adapt(model, [batch(4, 1, 32, 64)])
    assert norm.running_mean.abs().sum() > 0


def test_a_model_without_normalisation_is_refused():
    model = micro()
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    with pytest.raises(CompressionError, match="has no batch normalisation .* go on without: --no-adapt"):
        adapt(model, [batch(4, 1, 32, 64)])


class TestLines:
    def test_they_are_the_training_lines_and_decided_by_the_seed(self, line_folder):
        task = load_task(tiny_recipe(line_folder / "labels.txt", "train.batch=2"))
        texts = {line.text for line in task.train}
        found = [[t for b in batches_of(task, 4, seed) for t in b.texts] for seed in (0, 0, 1)]
        assert all(4 <= len(f) <= 6 for f in found)  # whole updates of about two
        assert set(found[0]) <= texts
        assert found[0] == found[1] != found[2]
        assert sorted(t for b in batches_of(task, 1000) for t in b.texts) == sorted(texts)  # no more than there are

    def test_lines_that_are_rendered_without_end(self):
        values = {
            "name": "tiny",
            "charset": {"name": "digits"},
            "data": {"train": [{"count": 40, "endless": True, "min_length": 2, "max_length": 3}]},
        }
        task = load_task(recipe_from(apply_settings(values, list(TINY)), "test"))
        assert len(task.train) == 0
        batches = batches_of(task, 20)
        assert 20 <= sum(len(b.texts) for b in batches) <= 40
        adapt(task.model, batches)
        assert norms_of(task.model)[0].running_mean.abs().sum() > 0

    def test_too_few(self, line_folder):
        task = load_task(tiny_recipe(line_folder / "labels.txt"))
        for lines in (1, 0, -3):
            with pytest.raises(CompressionError, match=f"to measure on {lines} of the training lines.*2 lines or more"):
                batches_of(task, lines)
        labels = line_folder / "labels.txt"
        one = line_folder / "one.txt"
        one.write_text(labels.read_text().splitlines()[0] + "\n")
        task = load_task(tiny_recipe(one, f"data.validation=['{labels}']", "charset.name=digits"))
        with pytest.raises(CompressionError, match="there is 1 training line .* --no-adapt"):
            batches_of(task, 100)

    def test_of_a_run(self, line_folder):
        recipe = tiny_recipe(line_folder / "labels.txt", "charset.name=digits")
        full = Restored(load_task(recipe).model, recipe, {}, {})
        assert len(lines_of(full).validation) == len(load_task(recipe).validation)
        held = lines_of(full, [f"data.validation=['{line_folder / 'labels.txt'}']"])
        assert (len(held.train), len(held.validation)) == (12, 12)
        with pytest.raises(CompressionError, match=r"--set train.lr=1 changes more than the lines"):
            lines_of(full, ["train.lr=1"])
        (line_folder / "none.txt").write_text("")
        with pytest.raises(LabelError, match=r"none.txt"):
            lines_of(full, [f"data.validation=['{line_folder / 'none.txt'}']"])


class TestBench:
    def test_it_adapts_and_reads(self, line_folder):
        task = load_task(tiny_recipe(line_folder / "labels.txt"))
        bench = Bench.of(task, 8)
        found = bench.read(task.model)
        assert (found.lines, found.characters) == (len(task.validation), 2 * len(task.validation))
        assert not task.model.training
        by_hand = Bench(task.recipe, task.validation).read(task.model)  # its statistics are adapted now
        assert by_hand == found
        assert bench.width() == sorted(task.validation.widths)[len(task.validation) // 2]

    def test_other_lines_have_another_identity(self, line_folder):
        task = load_task(tiny_recipe(line_folder / "labels.txt", "train.batch=2"))
        whole, some = Bench.of(task), Bench.of(task, 4)
        assert whole.identity()["validation"] == some.identity()["validation"]
        assert some.identity()["adapt_lines"] == sum(len(b.texts) for b in some.batches) >= 4
        assert some.identity() == Bench.of(task, 4).identity() != Bench.of(task, 4, seed=1).identity()

    def test_the_digest_of_a_model(self):
        torch.manual_seed(0)
        model = micro()
        before = digest_of(model)
        assert before == digest_of(model)
        norms_of(model)[0].running_var[0] += 1e-6
        assert digest_of(model) != before


def test_accuracies():
    found = Accuracy(lines=4, correct=1, characters=10, edits=4)
    assert (found.word, found.cer, found.by("word"), found.by("cer")) == (0.25, 0.4, 0.25, 0.6)
    assert found.rank("word") == (0.25, 0.6)
    assert found.rank("cer") == (0.6, 0.25)
    assert Accuracy(1, 0, 2, 5).by("cer") == 0
    with pytest.raises(CompressionError, match="'ned' is to decide .* word, cer"):
        check_deciding("ned")
