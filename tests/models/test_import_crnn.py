"""Checkpoints of CRNN and its Chinese descendants, made by a second implementation that shares no code with ours."""

import math
import re
from collections import OrderedDict

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.errors import CheckpointError
from glyphlet.image import Geometry
from glyphlet.models.importers import IMPORTERS, from_chinese_crnn, from_crnn_model, from_crnn_pytorch

LOWERCASE = Charset.named("lowercase36")
DIGITS = Charset.named("digits")
READERS = [from_crnn_pytorch, from_chinese_crnn, from_crnn_model]


class Recurrent(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.rnn = nn.LSTM(inputs, hidden, bidirectional=True)
        self.embedding = nn.Linear(2 * hidden, outputs)

    def forward(self, x_TND):
        steps, _ = self.rnn(x_TND)
        t, n, d = steps.shape
        return self.embedding(steps.view(t * n, d)).view(t, n, -1)


class CRNN(nn.Module):
    """(N, C, 32, W) to (T, N, classes), by the names of the original's state dict."""

    def __init__(self, classes=11, hidden=8, channels=1):
        super().__init__()
        self.cnn = nn.Sequential()
        sizes = [64, 128, 256, 256, 512, 512, 512]
        for i, (inputs, outputs) in enumerate(zip([channels, *sizes], sizes, strict=False)):
            last = i == 6
            self.cnn.add_module(f"conv{i}", nn.Conv2d(inputs, outputs, 2 if last else 3, padding=0 if last else 1))
            if i in (2, 4, 6):
                self.cnn.add_module(f"batchnorm{i}", nn.BatchNorm2d(outputs))
            self.cnn.add_module(f"relu{i}", nn.ReLU(True))
            if i < 2:
                self.cnn.add_module(f"pooling{i}", nn.MaxPool2d(2, 2))
            elif i in (3, 5):
                self.cnn.add_module(f"pooling{(i + 1) // 2}", nn.MaxPool2d((2, 2), (2, 1), (0, 1)))
        self.rnn = nn.Sequential(Recurrent(512, hidden, hidden), Recurrent(hidden, hidden, classes))

    def forward(self, x):
        maps = self.cnn(x)
        assert maps.shape[2] == 1
        return self.rnn(maps.squeeze(2).permute(2, 0, 1))


def original(**options):
    """A network with random weights and random statistics, so that none of them can be lost unseen."""
    torch.manual_seed(0)
    model = CRNN(**options).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.01, 0.1)
            nn.init.normal_(module.weight, 1)
            nn.init.normal_(module.bias)
    return model


MODEL = original()
STATE = MODEL.state_dict()


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


@pytest.fixture
def path(tmp_path):
    return saved(tmp_path / "m.pth", STATE)


def assert_same(imported, model=MODEL, channels=1, widths=(32, 100, 161, 280)):
    for width in widths:
        x = torch.randn(2, channels, 32, width, generator=torch.Generator().manual_seed(width))
        with torch.no_grad():
            expected = model(x)
            assert expected.shape[0] == width // 4 + 1
            torch.testing.assert_close(imported.model(x), expected.transpose(0, 1), rtol=0, atol=1e-5)
            assert expected.std() > 0.01


class TestLogits:
    @pytest.mark.parametrize("read", READERS)
    def test_they_are_those_of_the_original(self, path, read):
        imported = read(path, DIGITS)
        assert not imported.model.training
        assert imported.model.spec.neck.options == {"hidden": 8, "layers": 2, "project": 8}
        assert_same(imported)

    def test_at_the_published_size(self, tmp_path):
        model = original(classes=37, hidden=256)
        imported = from_crnn_pytorch(saved(tmp_path / "m.pth", model.state_dict()), LOWERCASE)
        assert sum(p.numel() for p in imported.model.parameters()) == 8_331_301
        assert_same(imported, model, widths=(100,))

    def test_colour(self, tmp_path):
        model = original(channels=3)
        imported = from_crnn_model(saved(tmp_path / "m.pth", model.state_dict()), DIGITS)
        assert imported.model.geometry.channels == 3
        assert "RGB" in imported.notes[0]
        assert_same(imported, model, channels=3, widths=(64,))


class TestContent:
    def test_geometry_and_normalisation_are_those_of_each_project(self, path):
        geometries = [read(path, DIGITS).model.geometry for read in READERS]
        assert geometries == [
            Geometry(width_step=4, width=100, mean=0.5, std=0.5),
            Geometry(width_step=4, squeeze=1.75, mean=0.588, std=0.193),
            Geometry(width_step=4, mean=0.5, std=0.5),
        ]
        assert [g.scaled_width(280, 32) for g in geometries] == [100, 160, 280]

    def test_the_notes_say_what_was_fixed(self, path):
        for read, words in zip(READERS, ("stretched to 100 x 32", "0.588) / 0.193", "the ratio kept"), strict=True):
            notes = read(path, DIGITS).notes
            assert notes[0] == "read off the weights: 8 units in each direction, 11 classes, grey"
            assert words in notes[1]

    def test_texts_of_a_lower_case_alphabet_are_compared_in_lower_case(self, tmp_path):
        path = saved(tmp_path / "m.pth", original(classes=37).state_dict())
        assert from_crnn_pytorch(path, LOWERCASE).model.codec.charset.normalize("AbC") == "abc"
        assert from_crnn_model(path, LOWERCASE).model.codec.charset.normalize("AbC") == "AbC"
        both = Charset.from_text(LOWERCASE.text[:-1] + "Z")
        assert from_crnn_pytorch(path, both).model.codec.charset.normalize("AbC") == "AbC"

    def test_a_checkpoint_of_data_parallel(self, tmp_path):
        content = nn.DataParallel(MODEL).state_dict()
        assert next(iter(content)) == "module.cnn.conv0.weight"
        assert_same(from_crnn_pytorch(saved(tmp_path / "m.pth", content), DIGITS), widths=(100,))

    def test_the_wrapper_of_the_chinese_project(self, tmp_path):
        path = saved(tmp_path / "m.pth", {"state_dict": STATE, "epoch": 18, "best_acc": 0.9922})
        imported = from_chinese_crnn(path, DIGITS)
        assert imported.measured == {"best_acc": 0.9922}
        assert_same(imported, widths=(160,))

    def test_without_counters_as_torch_before_0_4_1_wrote_them(self, tmp_path):
        content = OrderedDict((k, v) for k, v in STATE.items() if "num_batches" not in k)
        assert len(content) == len(STATE) - 3
        path = saved(tmp_path / "m.pth", content, _use_new_zipfile_serialization=False)
        assert_same(from_crnn_pytorch(path, DIGITS), widths=(100,))

    @pytest.mark.parametrize("zipped", [True, False])
    def test_tensors_that_were_saved_on_a_gpu(self, tmp_path, monkeypatch, zipped):
        with monkeypatch.context() as patch:
            patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:1")
            path = saved(tmp_path / "m.pth", STATE, _use_new_zipfile_serialization=zipped)
        assert b"cuda:1" in path.read_bytes()
        assert_same(from_crnn_pytorch(path, DIGITS), widths=(100,))


class TestRefused:
    def refused(self, path, charset=DIGITS, read=from_crnn_pytorch):
        with pytest.raises(CheckpointError) as caught:
            read(path, charset)
        assert path.name in str(caught.value)
        assert caught.value.allowed
        assert caught.value.next_step
        return str(caught.value)

    def test_a_charset_of_another_size(self, path):
        message = self.refused(path, LOWERCASE)
        assert "the charset has 36 characters, but" in message
        assert "has 11 classes. Allowed: 10 characters" in message

    def test_another_network(self, tmp_path):
        path = saved(tmp_path / "m.pth", nn.Linear(2, 3).state_dict())
        assert "has no weights named 'cnn.conv0.weight' (but weight, bias, ...)" in self.refused(path)

    @pytest.mark.parametrize("key", ["cnn.conv3.bias", "cnn.batchnorm4.running_var", "rnn.0.rnn.bias_hh_l0_reverse"])
    def test_weights_that_are_missing(self, tmp_path, key):
        path = saved(tmp_path / "m.pth", {k: v for k, v in STATE.items() if k != key})
        assert "does not fit the network" in self.refused(path)

    @pytest.mark.parametrize(
        ("key", "shape"),
        [
            ("cnn.conv0.weight", (64, 2, 3, 3)),
            ("cnn.conv0.weight", (64,)),
            ("cnn.conv6.weight", (512, 512, 3, 3)),
            ("rnn.0.rnn.weight_hh_l0", (0, 0)),
            ("rnn.0.embedding.weight", (9, 16)),
            ("rnn.1.embedding.weight", (11, 5)),
            ("rnn.2.embedding.weight", (11, 5)),
        ],
    )
    def test_weights_of_another_shape(self, tmp_path, key, shape):
        self.refused(saved(tmp_path / "m.pth", {**STATE, key: torch.zeros(shape)}))

    @pytest.mark.parametrize(
        ("key", "change", "problem"),
        [
            ("cnn.conv3.weight", lambda x: (100 * x).to(torch.int8), "of kind int8"),
            ("rnn.0.embedding.bias", lambda x: x.to(torch.complex64), "of kind complex64"),
            ("cnn.conv0.bias", lambda x: x * math.nan, "with NaN or infinity"),
            ("cnn.batchnorm2.running_var", lambda x: -1 - x, "below 0"),
        ],
    )
    def test_values_that_no_weight_has(self, tmp_path, key, change, problem):
        message = self.refused(saved(tmp_path / "m.pth", {**STATE, key: change(STATE[key])}))
        assert f"has weights {key!r} {problem}. Allowed: float64, float32, float16 or bfloat16, finite" in message

    def test_half_precision_is_read(self, tmp_path):
        halves = {k: v.half() if v.is_floating_point() else v for k, v in STATE.items()}
        model = from_crnn_pytorch(saved(tmp_path / "m.pth", halves), DIGITS).model
        assert {p.dtype for p in model.parameters()} == {torch.float32}

    def test_bytes_that_have_changed(self, tmp_path):
        path = saved(tmp_path / "m.pth", STATE)
        data = bytearray(path.read_bytes())
        place = data.index(STATE["cnn.conv3.weight"].numpy().tobytes())
        data[place : place + 64] = bytes(64)
        path.write_bytes(data)
        message = self.refused(path)
        assert re.search(r"cannot be read as a PyTorch checkpoint: m/data/\d+ in it is damaged", message)
        assert "Next: fetch the file again" in message

    def test_an_empty_file_and_a_folder(self, tmp_path):
        (tmp_path / "empty.pth").touch()
        assert "checkpoint: it is empty or cut off" in self.refused(tmp_path / "empty.pth")
        assert "checkpoint: it is a folder" in self.refused(tmp_path)

    @pytest.mark.parametrize("content", [[1, 2], {"state_dict": 5}, {"state_dict": {}}, {}])
    def test_values_that_are_no_state_dict(self, tmp_path, content):
        self.refused(saved(tmp_path / "m.pth", content))


def test_the_names_that_the_command_line_offers():
    assert list(IMPORTERS) == ["micro-ocr", "crnn-pytorch", "chinese-crnn", "crnn-model"]
    assert [origin.charset for origin in IMPORTERS.values()] == ["alphanumeric", "lowercase36", "", ""]
