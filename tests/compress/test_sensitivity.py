"""Sensitivity: each point by a second way, resumption to the bit, and files of something else."""

import copy
import json

import pytest
import torch

from glyphlet.compress.accuracy import Accuracy, Bench
from glyphlet.compress.prune import Pruning, prune
from glyphlet.compress.record import Watch, read_record, write_record
from glyphlet.compress.sensitivity import RATIOS, Measuring, Sensitivity, measure
from glyphlet.errors import CompressionError, Interrupted
from support import same

STEM, BLOCK = "backbone.stem.0", "backbone.blocks.0.pointwise.0"


@pytest.fixture(scope="module")
def whole(taught, bench, graph, tmp_path_factory):
    """An undisturbed measurement."""
    path = tmp_path_factory.mktemp("sensitivity") / "s.json"
    return measure(taught.model, bench, path, graph=graph, watch=Watch("the command"))


class TestMeasuring:
    def test_each_point_is_the_model_without_these_channels_alone(self, taught, bench, graph, whole):
        assert list(whole.points) == [STEM, BLOCK]
        for name, ratio, channels in ((STEM, 0.3, 7), (BLOCK, 0.9, 1)):
            smaller = prune(taught.model, Pruning(ratios={name: ratio}), graph).model
            assert whole.points[name][round(10 * ratio) - 1] == (ratio, channels, bench.read(smaller))

    def test_the_base_is_the_adapted_full_model(self, taught, bench, whole):
        assert whole.base == bench.read(copy.deepcopy(taught.model))
        assert 0.3 < whole.base.word < 1

    def test_the_model_is_left_as_it_was(self, taught, bench, tmp_path):
        before = {k: v.clone() for k, v in taught.model.state_dict().items()}
        measure(taught.model, bench, tmp_path / "s.json", Measuring(ratios=(0.5,)))
        assert same(taught.model.state_dict(), before)

    def test_losses_are_shares_of_the_base(self, whole):
        points = {"g": [(0.1, 9, Accuracy(10, 4, 20, 8)), (0.9, 1, Accuracy(10, 0, 20, 30))]}
        made = Sensitivity(whole.path, {}, Accuracy(10, 5, 20, 4), points)
        assert made.curves("word") == {"g": [(0.1, pytest.approx(0.2)), (0.9, 1.0)]}
        assert made.curves("cer") == {"g": [(0.1, pytest.approx(0.25)), (0.9, 1.0)]}  # 0.8 to 0.6, and to nothing

    def test_a_model_that_reads_nothing(self, whole):
        made = Sensitivity(whole.path, {}, Accuracy(10, 0, 20, 15), {})
        with pytest.raises(CompressionError, match="word accuracy 0 on the 10 validation lines.*--by cer, or train"):
            made.curves("word")
        assert made.curves("cer") == {}
        with pytest.raises(CompressionError, match="1 - CER 0 .*Next: train it further"):
            Sensitivity(whole.path, {}, Accuracy(10, 0, 20, 25), {}).curves("cer")

    def test_a_ratio_that_takes_no_more_channels_is_not_read_again(self, taught, graph, bench, tmp_path):
        class Counting(Bench):
            read_models = 0

            def read(self, model):
                self.read_models += 1
                return super().read(model)

        counting = Counting(taught.recipe, taught.validation, bench.batches)
        ratios = (0.04, 0.1, 0.15, 0.2)  # none, 1, 1 and 2 of 10 channels
        found = measure(taught.model, counting, tmp_path / "s.json", Measuring(ratios=ratios, only=[STEM]), graph)
        assert counting.read_models == 3
        assert [channels for _, channels, _ in found.points[STEM]] == [10, 9, 9, 8]
        assert found.points[STEM][0][2] == found.base
        assert found.points[STEM][1][2] == found.points[STEM][2][2]

    @pytest.mark.parametrize("ratios", [(), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0), (0.9, 0.1), (float("nan"),)])
    def test_ratios_that_are_none(self, ratios):
        with pytest.raises(CompressionError, match="from above 0 to less than 1"):
            Measuring(ratios=ratios)

    def test_another_criterion(self):
        with pytest.raises(CompressionError, match="there is no criterion 'l3'"):
            Measuring(criterion="l3")


class TestResuming:
    @pytest.mark.parametrize("after", [0, 4, 8, 13])
    def test_the_file_is_the_same_to_the_bit(self, taught, bench, graph, whole, tmp_path, after):
        path, caught = tmp_path / "s.json", []

        def interrupt(done, total):
            assert total == 18
            if done == after:
                caught.append(2)

        with pytest.raises(
            Interrupted, match=r"interrupted; [01] of 2 layers are measured .*go on with `the command`"
        ) as e:
            measure(taught.model, bench, path, graph=graph, watch=Watch("the command", interrupt, caught))
        assert e.value.exit_code == 130
        kept = read_record(path, "sensitivity")["points"]
        assert sum(map(len, kept.values())) == after + 1
        if after < 17:
            with pytest.raises(CompressionError, match=r"has [01] of 2 layers.*go on with `the command`"):
                Sensitivity.load(path)
        measure(taught.model, bench, path, graph=graph, watch=Watch("the command"))
        assert path.read_bytes() == whole.path.read_bytes()

    def test_a_kill_loses_one_layer_at_most(self, taught, bench, graph, whole, tmp_path):
        path = tmp_path / "s.json"

        def die(done, total):
            if done == 12:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            measure(taught.model, bench, path, graph=graph, watch=Watch("the command", die))
        assert list(read_record(path, "sensitivity")["points"]) == [STEM]
        measure(taught.model, bench, path, graph=graph, watch=Watch("the command"))
        assert path.read_bytes() == whole.path.read_bytes()

    def test_what_is_finished_is_not_measured_again(self, taught, graph, bench, whole):
        before = whole.path.stat().st_mtime_ns
        assert measure(taught.model, bench, whole.path, graph=graph) == whole
        assert Sensitivity.load(whole.path) == whole
        assert whole.path.stat().st_mtime_ns == before


class TestOthers:
    def test_another_model(self, taught, bench, whole):
        other = copy.deepcopy(taught.model)
        with torch.no_grad():
            other.head.linear.bias[0] += 1e-3
        with pytest.raises(CompressionError, match=r"s.json is of another model\. Allowed: "):
            measure(other, bench, whole.path)
        with pytest.raises(CompressionError, match="is of another model"):
            whole.check(other)
        whole.check(taught.model, bench)

    def test_other_lines(self, taught, bench, whole):
        fewer = Bench(taught.recipe, taught.validation.some(20), bench.batches)
        for use in (lambda: measure(taught.model, fewer, whole.path), lambda: whole.check(taught.model, fewer)):
            with pytest.raises(CompressionError, match="is of another set of validation lines"):
                use()
        with pytest.raises(CompressionError, match="another set of training lines to adapt to, or of none"):
            measure(taught.model, Bench.of(taught), whole.path)

    @pytest.mark.parametrize(
        ("how", "problem"),
        [
            (Measuring(criterion="fpgm"), "is of criterion 'l1', and now it is 'fpgm'"),
            (Measuring(ratios=RATIOS[:3]), r"is of ratios \[0.1, 0.2.*now it is \[0.1, 0.2, 0.3\]"),
            (Measuring(skip=[STEM]), "is of another choice of layers"),
        ],
    )
    def test_other_settings(self, taught, bench, whole, how, problem):
        with pytest.raises(CompressionError, match=problem):
            measure(taught.model, bench, whole.path, how)

    def test_damaged_files(self, whole, tmp_path):
        text, path = whole.path.read_text(encoding="utf-8"), tmp_path / "d.json"
        for content, problem in (
            (text[:-50], "is damaged, or no such file: "),
            ("", "is damaged"),
            (text.replace('"channels": 9', '"channels": 8', 1), "was changed: its content does not match its digest"),
            (text.replace('"format": 1', '"format": 2'), "has format 2, and this version reads 1"),
            (text.replace('"sensitivity"', '"eagleeye"'), "holds no sensitivity"),
            ("[1]", "holds no sensitivity"),
        ):
            path.write_text(content, encoding="utf-8")
            with pytest.raises(CompressionError, match=problem + ".*glyphlet shrink sensitivity.*Next: "):
                Sensitivity.load(path)
        path.write_bytes(b"\xff\x00")
        with pytest.raises(CompressionError, match="is damaged"):
            Sensitivity.load(path)
        with pytest.raises(CompressionError, match="does not exist.*make it with"):
            Sensitivity.load(tmp_path / "none.json")
        with pytest.raises(CompressionError, match="cannot be read"):
            Sensitivity.load(tmp_path)

    def test_a_file_that_cannot_be_written(self, taught, bench, tmp_path):
        with pytest.raises(CompressionError, match="cannot be written: No such file or directory"):
            measure(taught.model, bench, tmp_path / "none" / "s.json")


def test_a_record_is_json_and_replaced_whole(tmp_path):
    path = tmp_path / "r.json"
    write_record(path, "sensitivity", {"b": [1.5], "a": "ü"})
    values = json.loads(path.read_text(encoding="utf-8"))
    assert list(values) == ["glyphlet", "format", "b", "a", "sha256"]
    assert read_record(path, "sensitivity") == values
    write_record(path, "sensitivity", {"b": 2})
    assert read_record(path, "sensitivity")["b"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]
