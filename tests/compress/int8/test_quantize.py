"""A model file to one that is computed in int8: what stands in it, what it loses, what is refused."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch

from glyphlet import Reader
from glyphlet.compress.compared import Read
from glyphlet.compress.int8 import quantize as module
from glyphlet.compress.int8.outcome import write_outcome
from glyphlet.compress.int8.quantize import Quantizing, quantize
from glyphlet.data.sample import Sample
from glyphlet.errors import CheckpointError, CompressionError
from glyphlet.export.onnx import to_onnx
from glyphlet.image import prepare
from glyphlet.models.recognizer import build
from glyphlet.runtime.metadata import SINGLE
from glyphlet.train.start import load_model_file
from support import part

GLYPH = {"backbone": part("glyph", stem=8, width=16, depth=2), "neck": part("fold")}


@pytest.fixture
def readings(lines):
    """Labelled lines whose labels are what a file reads: so it is right about all of them."""

    def made(file, count=40):
        sources = lines(count, Reader(file).metadata.geometry.channels)
        texts = [reading.text for reading in Reader(file).read(sources)]
        return [Sample(source, text, "test") for source, text in zip(sources, texts, strict=True)]

    return made


def test_what_stands_in_the_file(model_of, file_of, lines, readings, tmp_path):
    file = file_of(model_of(GLYPH))
    told = []
    found = quantize(
        file, tmp_path / "q.onnx", lines(20), readings(file), Quantizing(1.0), lambda *at: told.append(at[0])
    )
    reader = Reader(tmp_path / "q.onnx")
    before = Reader(file).metadata
    assert replace(reader.metadata, measured={}, training={}) == replace(before, measured={}, training={})
    facts = reader.metadata.measured["int8"]
    assert facts["layers"] == len(found.int8) > 5
    assert facts["word_accuracy"] == [found.read[0].word_accuracy, found.read[1].word_accuracy]
    assert found.read[0].word_accuracy == 1
    assert facts["changed"] == found.changed == round(found.loss * 40)
    assert (facts["calibration_lines"], facts["validation_lines"]) == (20, 40)
    assert found.kb[1] == pytest.approx((tmp_path / "q.onnx").stat().st_size / 1024, abs=1)
    assert found.kb[1] < 0.7 * found.kb[0]
    assert 0 < found.noise_of_all < 0.05
    assert set(told) == {"lines", "layers", "noise", "reading, float", "reading, int8"}
    assert [path.name for path in tmp_path.iterdir() if "q.onnx" in path.name] == ["q.onnx"]
    assert "backbone.stem.0.0" not in found.int8  # nine products for each output: nothing to gain


def test_the_same_file_comes_again(model_of, file_of, lines, readings, tmp_path, monkeypatch):
    monkeypatch.setattr("glyphlet.compress.compared.network_milliseconds", lambda path, width: 1.0)
    file = file_of(model_of(GLYPH))
    for name in ("a.onnx", "b.onnx"):
        quantize(file, tmp_path / name, lines(20), readings(file), Quantizing(1.0))
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


@pytest.mark.parametrize(
    "parts", [GLYPH, {"backbone": part("micro", nh=8, bias=True), "neck": part("bigru", hidden=12)}]
)
def test_a_training_can_start_from_it(model_of, file_of, lines, readings, tmp_path, parts):
    model = model_of(parts)
    file = file_of(model)
    quantize(file, tmp_path / "q.onnx", lines(20), readings(file), Quantizing(1.0))
    start = load_model_file(tmp_path / "q.onnx")
    restored = build(start.recipe.model, start.recipe.image, start.charset)
    restored.load_state_dict(start.weights)
    own = model.state_dict()
    for name, value in restored.state_dict().items():
        if "running" in name or name.endswith(".1.weight"):
            assert torch.equal(value, own[name]), name
        elif value.dim() > 1:
            assert (value - own[name]).abs().max() < 0.25 * own[name].abs().max(), name
    line = prepare(lines(3)[2], model.geometry)
    expected = Reader(tmp_path / "q.onnx").logits([line])
    with torch.inference_mode():
        image = (torch.tensor(line.pixels)[None].float() / 255 - model.geometry.mean) / model.geometry.std
        found = restored.eval()(image).numpy()
    assert np.abs(found - expected).max() < 0.2 * np.abs(expected).max()


def test_a_file_of_stored_int8_gives_nearly_the_same(model_of, file_of, lines, readings, tmp_path):
    model = model_of({"backbone": part("glyph", stem=16, width=40, depth=2), "neck": part("fold")})
    exact, stored = file_of(model), file_of(model, "stored.onnx", "int8")
    for file in (exact, stored):
        quantize(file, tmp_path / f"q-{file.name}", lines(20), readings(file), Quantizing(1.0))
    line = prepare(lines(1)[0], model.geometry)
    a, b = (Reader(tmp_path / f"q-{file.name}").logits([line]) for file in (exact, stored))
    assert np.abs(a - b).max() < 0.2 * np.abs(a).max()


class TestFallback:
    def losing(self, monkeypatch, accuracy):
        """Reading loses as `accuracy` says by the number of layers in float; layers are counted from the file."""
        counts = []

        def read(reader, samples, progress):
            whole = [c.name for c in onnx.load(reader.path).graph.initializer if c.name.endswith("weight/quantized")]
            counts.append(len(whole))
            right = 1.0 if not whole else accuracy(len(whole))
            interval = SimpleNamespace(low=right, high=right)
            scores = SimpleNamespace(lines=len(samples), word_accuracy=right, word_interval=interval, cer=0.0)
            return SimpleNamespace(scores=scores, results=[SimpleNamespace(text="") for _ in samples])

        monkeypatch.setattr(module, "evaluate_lines", read)
        return counts

    def test_no_more_layers_stay_in_float_than_must(self, model_of, file_of, lines, readings, tmp_path, monkeypatch):
        file = file_of(model_of(GLYPH))
        samples = readings(file)
        self.losing(monkeypatch, lambda quantised: 1.0 if quantised <= 9 else 0.9)
        found = quantize(file, tmp_path / "q.onnx", lines(20), samples)
        assert len(found.int8) == 9
        assert found.kept == tuple(sorted(found.noise, key=lambda name: -found.noise[name])[: len(found.kept)])
        facts = Reader(tmp_path / "q.onnx").metadata.measured["int8"]
        assert facts["float_layers"] == list(found.kept)
        assert any(found.kept[0] in note for note in found.notes())

    def test_nothing_is_written_if_all_lose_too_much(self, model_of, file_of, lines, readings, tmp_path, monkeypatch):
        file = file_of(model_of(GLYPH))
        samples = readings(file)
        self.losing(monkeypatch, lambda quantised: 0.98)
        with pytest.raises(CompressionError, match=r"loses 2\.00 points .* at least, and 0\.5 are allowed"):
            quantize(file, tmp_path / "q.onnx", lines(20), samples)
        assert [path.name for path in tmp_path.iterdir()] == [file.name]


BILSTM = {"backbone": part("micro", nh=8), "neck": part("bilstm", hidden=24)}


class TestRecurrent:
    def test_lstm_layers_read_line_by_line(self, model_of, file_of, lines, readings, tmp_path):
        file = file_of(model_of(BILSTM))
        found = quantize(file, tmp_path / "q.onnx", lines(20), readings(file), Quantizing(1.0, recurrent="dynamic"))
        ops = [node.op_type for node in onnx.load(tmp_path / "q.onnx").graph.node]
        assert "DynamicQuantizeLSTM" in ops
        assert "LSTM" not in ops
        reader = Reader(tmp_path / "q.onnx")
        assert SINGLE in reader.metadata.features
        assert reader.metadata.measured["int8"]["recurrent"] == found.recurrent == "dynamic"
        sources = lines(24)
        together = [reading.confidence for reading in reader.read(sources)]
        assert together == [reader.read_one(source).confidence for source in sources]
        with pytest.raises(CheckpointError, match="no weights to train on"):
            load_model_file(tmp_path / "q.onnx")
        plain = quantize(file, tmp_path / "p.onnx", lines(20), readings(file), Quantizing(1.0))
        assert found.kb[1] <= plain.kb[1]
        assert SINGLE not in Reader(tmp_path / "p.onnx").metadata.features

    @pytest.mark.parametrize("neck", ["bigru", "fold"])
    def test_without_one_it_is_refused(self, model_of, file_of, lines, readings, tmp_path, neck):
        file = file_of(model_of({"backbone": part("micro", nh=8), "neck": part(neck)}))
        with pytest.raises(CompressionError, match="no LSTM layer"):
            quantize(file, tmp_path / "q.onnx", lines(20), readings(file), Quantizing(1.0, recurrent="dynamic"))


@pytest.mark.parametrize("head", ["attention", "lstm"])
def test_heads_that_write_step_by_step(model_of, file_of, lines, readings, tmp_path, head):
    neck = part("latent", features=24)
    model = model_of({"backbone": part("micro", nh=16), "neck": neck, "head": part(head, max_length=4)})
    file = file_of(model)
    found = quantize(file, tmp_path / "q.onnx", lines(20), readings(file), Quantizing(1.0))
    assert found.int8
    assert len(Reader(tmp_path / "q.onnx").read(lines(3))) == 3
    with pytest.raises(CheckpointError, match="no weights to train on"):
        load_model_file(tmp_path / "q.onnx")


def test_only_and_skip(model_of, file_of, lines, readings, tmp_path):
    file = file_of(model_of(GLYPH))
    samples = readings(file)
    found = quantize(
        file,
        tmp_path / "q.onnx",
        lines(20),
        samples,
        Quantizing(1.0, only=["backbone.blocks"], skip=["backbone.blocks.1"]),
    )
    assert sorted(found.int8) == [f"backbone.blocks.0.{name}" for name in ("along", "contract.0", "expand")]
    with pytest.raises(CompressionError, match=r"'backbone\.block' is no layer"):
        quantize(file, tmp_path / "r.onnx", lines(20), samples, Quantizing(1.0, only=["backbone.block"]))
    with pytest.raises(CompressionError, match="no layer of the model"):
        quantize(file, tmp_path / "r.onnx", lines(20), samples, Quantizing(1.0, skip=["backbone", "head"]))


def test_what_is_refused(model_of, file_of, lines, readings, tmp_path):
    file = file_of(model_of(GLYPH))
    samples = readings(file)
    with pytest.raises(CompressionError, match=r"1 lines to calibrate on\. Allowed: 16 or more"):
        quantize(file, tmp_path / "q.onnx", lines(1), samples)
    with pytest.raises(CompressionError, match="no labelled lines"):
        quantize(file, tmp_path / "q.onnx", lines(20), [])
    quantize(file, tmp_path / "q.onnx", lines(20), samples, Quantizing(1.0))
    with pytest.raises(CompressionError, match="in int8 already"):
        quantize(tmp_path / "q.onnx", tmp_path / "r.onnx", lines(20), samples)
    for values in ({"max_loss": -0.1}, {"max_loss": 2}, {"recurrent": "int4"}):
        with pytest.raises(CompressionError):
            Quantizing(**values)
    assert not (tmp_path / "r.onnx").exists()


def test_a_full_disk_is_told_and_leaves_nothing(model_of, file_of, lines, readings, tmp_path, monkeypatch):
    file = file_of(model_of(GLYPH))
    samples = readings(file)

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "replace_file", full)
    with pytest.raises(CompressionError, match=r"cannot be written: No space left on device.*free space"):
        quantize(file, tmp_path / "q.onnx", lines(20), samples, Quantizing(1.0))
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_the_report(model_of, file_of, lines, readings, tmp_path):
    file = file_of(model_of(GLYPH))
    found = quantize(file, tmp_path / "q.onnx", lines(20), readings(file), Quantizing(1.0))
    slower = replace(found, ms=(1.0, 2.0), kept=("a.b",), read=(found.read[0], Read(40, 0.5, 0.4, 0.6, 0.2)))
    notes = " ".join(slower.notes())
    assert "not faster" in notes
    assert "a.b" in notes
    assert "40 lines" in notes
    assert slower.rows()[2][3] == "-50.00 points"
    assert replace(found, read=(found.read[0], found.read[0])).rows()[2][3] == "+0.00 points"
    write_outcome(tmp_path / "r.json", tmp_path / "r.html", slower, {"Again": "glyphlet shrink quantize x"})
    values = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert values["ms"] == [1.0, 2.0]
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "glyphlet shrink quantize x" in page
    assert all(name in page for name in found.noise)
    assert not re.search(r"(src|href)=\"(?!#)", page)


def test_the_graph_given_to_torch_is_the_same(model_of):
    """The tests above rest on it: an export is the same each time."""
    model = model_of(GLYPH)
    assert to_onnx(model).SerializeToString() == to_onnx(model).SerializeToString()
