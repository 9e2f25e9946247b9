"""What an export writes, and that a refused one leaves nothing."""

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from glyphlet import Reader
from glyphlet.errors import ExportError, ImageError
from glyphlet.export import onnx as export_onnx
from glyphlet.export.onnx import OPSET, export_model, facts_to_train_on, to_onnx
from glyphlet.export.parity import torch_logits
from glyphlet.image import prepare


def export(model, path, lines, **free):
    return export_model(model, path, lines, name="tiny", **{"training": {}, "measured": {}, **free})


@pytest.fixture
def perturbed(monkeypatch):
    """Makes every export write other weights than the model's: the biases of the head by `amount`."""

    def perturb(amount):
        def changed(graph, metadata, real=export_onnx.bundled):
            (bias,) = [w for w in graph.graph.initializer if list(w.dims) == [11]]
            values = numpy_helper.to_array(bias) + np.float32(amount) * np.arange(11, dtype=np.float32)
            bias.CopyFrom(numpy_helper.from_array(values, bias.name))
            return real(graph, metadata)

        monkeypatch.setattr(export_onnx, "bundled", changed)

    return perturb


def test_the_file_holds_all_that_reading_needs(make_model, lines, tmp_path):
    model = make_model(channels=3, height=48, padding="black")
    result = export(model, tmp_path / "m.onnx", lines, training={"lr": 0.1}, measured={"word_accuracy": 0.5})
    metadata = Reader(tmp_path / "m.onnx").metadata
    assert (metadata.name, metadata.charset, metadata.geometry) == ("tiny", model.codec.charset, model.geometry)
    assert (metadata.time_stride, metadata.head) == (4, "ctc")
    assert (metadata.training, metadata.measured) == (
        {"lr": 0.1, **facts_to_train_on(model.eval(), to_onnx(model.eval()))},
        {"word_accuracy": 0.5},
    )
    assert metadata.parity == result.to_dict()
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def twins(model):
    """Makes the classes of 3 and 4 equal: rounding decides between them."""
    linear = model.head.linear
    with torch.no_grad():
        linear.weight[5], linear.bias[5] = linear.weight[4], linear.bias[4]
        linear.bias[4:6] += 3  # so that they are read often
    return model


def test_what_rounding_decides_may_be_read_either_way(make_model, lines, tmp_path):
    model = twins(make_model())
    export(model, tmp_path / "first.onnx", lines[:1])
    (text,) = (reading.text for reading in Reader(tmp_path / "first.onnx").read(lines[:1]))
    assert text.count("3") == 1
    other = text.replace("3", "4")
    result = export(model, tmp_path / "m.onnx", lines[:1], trained=[other])
    assert result.texts_differing == 1
    assert Reader(tmp_path / "m.onnx").metadata.parity["texts_differing"] == 1
    wrong = text.replace("3", "5")
    with pytest.raises(ExportError, match=rf"reads '{text}' where the trained model reads '{wrong}' .*as the training"):
        export(model, tmp_path / "other.onnx", lines[:1], trained=[wrong])
    assert not (tmp_path / "other.onnx").exists()


@pytest.mark.parametrize("neck", ["fold", "gru", "bigru", "bilstm", "subpixel"])
def test_every_neck_reads_every_width_and_batch(make_model, lines, tmp_path, neck):
    model = make_model(neck)
    result = export(model, tmp_path / "m.onnx", lines)
    assert (result.lines, result.real, result.texts_differing) == (200, 5, 0)
    assert result.widths > 10
    assert result.max_difference < 1e-5
    reader = Reader(tmp_path / "m.onnx")
    for width in (1, 33, 700):
        batch = [prepare(np.roll(lines[4], shift)[:, : min(width, 200)], model.geometry) for shift in range(3)]
        expected = np.concatenate([torch_logits(model.eval(), line) for line in batch])
        assert reader.logits(batch) == pytest.approx(expected, abs=1e-4)


def test_a_folder_is_refused_before_anything_is_compared(make_model, lines, tmp_path):
    with pytest.raises(ExportError, match=r"is a folder. Allowed: the name of a file. Next: write .*model\.onnx"):
        export(make_model(), tmp_path, [object()])


def test_the_graph_is_plain(make_model):
    model = make_model().eval()
    graph = to_onnx(model)
    assert [o.version for o in graph.opset_import] == [OPSET]
    weights = {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
    held = {c.name: numpy_helper.to_array(c) for c in graph.graph.initializer}
    equal = facts_to_train_on(model, graph)["equal_weights"]
    assert held.keys() == weights.keys() - equal.keys()  # under their own names: a training can start from the file
    assert all(np.array_equal(held[equal.get(name, name)], value.numpy()) for name, value in weights.items())
    dims = [
        [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in (graph.graph.input[0], graph.graph.output[0])
    ]
    assert dims == [["N", 1, 32, "W"], ["N", "T", 11]]
    onnx.checker.check_model(graph, full_check=True)


def test_the_same_model_gives_the_same_file(make_model, lines, tmp_path):
    for name in "ab":
        export(make_model(), tmp_path / name, lines)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_model_stays_as_it_was(make_model, lines, tmp_path):
    model = make_model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    export(model, tmp_path / "m.onnx", lines)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(("amount", "reason"), [(1.0, "reads '.*' where the trained model reads"), (3e-4, "a logit")])
def test_other_weights_are_refused(make_model, lines, tmp_path, perturbed, amount, reason):
    perturbed(amount)
    with pytest.raises(ExportError, match=reason):
        export(make_model(), tmp_path / "m.onnx", lines)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_export_keeps_what_was_there(make_model, lines, tmp_path, perturbed):
    export(make_model(), tmp_path / "m.onnx", lines)
    before = (tmp_path / "m.onnx").read_bytes()
    perturbed(1.0)
    with pytest.raises(ExportError):
        export(make_model(), tmp_path / "m.onnx", lines)
    assert (tmp_path / "m.onnx").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_no_lines(make_model, tmp_path):
    with pytest.raises(ExportError, match="no lines"):
        export(make_model(), tmp_path / "m.onnx", [])
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_is_no_image(make_model, tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        export(make_model(), tmp_path / "m.onnx", ["missing.png"])
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_finite(make_model, lines, tmp_path):
    model = make_model()
    with torch.no_grad():
        model.head.linear.bias[3] = float("nan")
    with pytest.raises(ExportError, match=r"head\.linear\.bias hold NaN"):
        export(model, tmp_path / "m.onnx", lines)


@pytest.mark.parametrize("free", [{"training": {"loss": float("nan")}}, {"measured": {"x": object()}}])
def test_values_that_json_cannot_hold(make_model, lines, tmp_path, free):
    with pytest.raises(ExportError, match="not JSON"):
        export(make_model(), tmp_path / "m.onnx", lines, **free)


def test_places_that_cannot_be_written(make_model, lines, tmp_path):
    with pytest.raises(ExportError, match=r"nothing can be written to .*missing"):
        export(make_model(), tmp_path / "missing" / "m.onnx", lines)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ExportError, match=r"folder is a folder"):
        export(make_model(), tmp_path / "folder", lines)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
