"""Checkpoints of MicroOCR, made by a second implementation that shares no code with ours."""

import os

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.errors import CheckpointError
from glyphlet.models.importers import from_micro_ocr

ALPHANUMERIC = Charset.named("alphanumeric")


class CBA(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, padding, groups, bias):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=bias)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return nn.functional.gelu(self.bn(self.conv(x)))


class Block(nn.Module):
    def __init__(self, nh, bias):
        super().__init__()
        self.conv1 = CBA(nh, nh, 3, 1, 1, nh, bias)
        self.conv2 = CBA(nh, nh, 1, 1, 0, 1, bias)

    def forward(self, x):
        return self.conv2(self.conv1(x) + x)


class MicroOCR(nn.Module):
    """The network of the autumn of 2021: RGB from 0 to 1 (N, 3, 32, W) to logits (N, W // 4, classes)."""

    def __init__(self, nh=4, depth=2, classes=63, bias=True, rnn=None, channels=3, batch_first=False):
        super().__init__()
        self.conv = CBA(channels, nh, 4, 4, 0, 1, bias)
        self.blocks = nn.Sequential(*(Block(nh, bias) for _ in range(depth)))
        features = 8 * nh
        if rnn == "lstm":
            self.lstm = nn.LSTM(features, 32, batch_first=batch_first, bidirectional=True)
        elif rnn is not None:
            self.gru = nn.GRU(features, 64, batch_first=batch_first, bidirectional=rnn == "bigru")
        self.fc = nn.Linear({None: features, "gru": 64, "lstm": 64, "bigru": 128}[rnn], classes)

    def forward(self, x):
        x = self.blocks(self.conv(x))
        n, c, h, w = x.shape
        x = nn.functional.adaptive_max_pool1d(x.reshape(n, c * h, w), w).permute(0, 2, 1)
        recurrent = getattr(self, "lstm", None) or getattr(self, "gru", None)
        return self.fc(recurrent(x)[0] if recurrent is not None else x)


def original(**options):
    """A network with random weights and random statistics, so that none of them can be lost unseen."""
    torch.manual_seed(0)
    model = MicroOCR(**options).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight, 1)
            nn.init.normal_(module.bias)
    return model


def saved(path, model, **more):
    torch.save({"model": model.state_dict(), "word_acc": 0.9712, "char_acc": 0.9901, **more}, path)
    return path


def images(count=1, channels=3, width=120):
    return torch.rand(count, channels, 32, width, generator=torch.Generator().manual_seed(1))


def assert_same(imported, model, x):
    with torch.no_grad():
        torch.testing.assert_close(imported.model(x), model(x), rtol=0, atol=1e-5)


class TestLogits:
    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize(("nh", "depth"), [(2, 2), (4, 2), (8, 1), (16, 4), (6, 0), (64, 2)])
    def test_without_a_recurrence_they_are_those_of_the_original(self, tmp_path, nh, depth, bias):
        model = original(nh=nh, depth=depth, bias=bias)
        imported = from_micro_ocr(saved(tmp_path / "m.pth", model), ALPHANUMERIC)
        assert imported.model.spec.backbone.options == {"nh": nh, "depth": depth, "bias": bias}
        assert imported.model.spec.neck.name == "fold"
        assert not imported.model.training
        for width in (8, 120, 400):
            assert_same(imported, model, images(3, width=width))

    def test_a_checkpoint_of_depth_2_has_37_tensors(self):
        # 5 weights and 2 x 5 statistics and norms for the stem and each of 4 convolutions, less what is counted twice.
        assert len(original(depth=2).state_dict()) == 37

    def test_an_lstm_over_the_batch_axis_is_reproduced_for_one_image(self, tmp_path):
        """batch_first=False on (N, T, C): the recurrence ran over the images of a batch."""
        model = original(nh=8, rnn="lstm")
        for over in ("auto", "step"):
            imported = from_micro_ocr(saved(tmp_path / "m.pth", model), ALPHANUMERIC, over)
            assert imported.model.spec.neck.options == {"hidden": 32, "layers": 1, "over": "step"}
            assert_same(imported, model, images())
        assert "every time step alone" in " ".join(imported.notes)
        batch = images(3)
        with torch.no_grad():  # and the neighbours in a batch no longer change a result
            alone = torch.cat([imported.model(batch[i : i + 1]) for i in range(3)])
            torch.testing.assert_close(imported.model(batch), alone)
            assert not torch.allclose(model(batch), alone, atol=1e-4)

    def test_an_lstm_over_time_when_that_is_asked_for(self, tmp_path):
        model = original(nh=8, rnn="lstm", batch_first=True)
        imported = from_micro_ocr(saved(tmp_path / "m.pth", model), ALPHANUMERIC, "time")
        assert_same(imported, model, images(2))
        assert "over time, as you said" in " ".join(imported.notes)

    @pytest.mark.parametrize("rnn", ["gru", "bigru"])
    def test_a_gru_runs_over_time_unless_step_is_asked_for(self, tmp_path, rnn):
        fixed, buggy = (original(rnn=rnn, batch_first=first) for first in (True, False))
        imported = from_micro_ocr(saved(tmp_path / "m.pth", fixed), ALPHANUMERIC)
        assert (imported.model.spec.neck.name, imported.model.spec.neck.options["over"]) == (rnn, "time")
        assert_same(imported, fixed, images(2))
        assert_same(from_micro_ocr(tmp_path / "m.pth", ALPHANUMERIC, "step"), buggy, images(1))

    def test_grey_input(self, tmp_path):
        model = original(channels=1)
        imported = from_micro_ocr(saved(tmp_path / "m.pth", model), ALPHANUMERIC)
        assert imported.model.geometry.channels == 1
        assert_same(imported, model, images(2, channels=1))
        assert "grey" in imported.notes[0]


class TestContent:
    def test_what_the_weights_do_not_say_is_fixed(self, tmp_path):
        geometry = from_micro_ocr(saved(tmp_path / "m.pth", original()), ALPHANUMERIC).model.geometry
        assert (geometry.height, geometry.width_step, geometry.padding) == (32, 8, "black")
        assert (geometry.mean, geometry.std) == (0.0, 1.0)

    def test_what_it_says_of_itself(self, tmp_path):
        imported = from_micro_ocr(saved(tmp_path / "m.pth", original()), ALPHANUMERIC)
        assert imported.measured == {"word_acc": 0.9712, "char_acc": 0.9901}
        later = saved(
            tmp_path / "l.pth", original(), wordAcc=0.5, nh=4, depth=2, char_acc=float("nan"), word_acc="best"
        )
        assert from_micro_ocr(later, ALPHANUMERIC).measured == {"wordAcc": 0.5}

    def test_a_bare_state_dict_and_one_of_data_parallel(self, tmp_path):
        model = original()
        torch.save(model.state_dict(), tmp_path / "bare.pth")
        torch.save({"model": nn.DataParallel(model).state_dict()}, tmp_path / "parallel.pth")
        for name in ("bare", "parallel"):
            imported = from_micro_ocr(tmp_path / f"{name}.pth", ALPHANUMERIC)
            assert imported.measured == {}
            assert_same(imported, model, images())

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
    def test_other_number_formats_become_float32(self, tmp_path, dtype):
        model = original().to(dtype)
        imported = from_micro_ocr(saved(tmp_path / "m.pth", model), ALPHANUMERIC)
        assert {p.dtype for p in imported.model.parameters()} == {torch.float32}
        assert_same(imported, model.float(), images())

    def test_it_is_loaded_on_the_cpu_and_as_data(self, tmp_path, monkeypatch):
        seen = {}

        def load(path, real=torch.load, **options):
            seen.update(options)
            return real(path, **options)

        monkeypatch.setattr(torch, "load", load)
        from_micro_ocr(saved(tmp_path / "m.pth", original()), ALPHANUMERIC)
        assert seen == {"map_location": "cpu", "weights_only": True}

    def test_the_old_file_format(self, tmp_path):
        model = original()
        torch.save({"model": model.state_dict()}, tmp_path / "m.pth", _use_new_zipfile_serialization=False)
        assert_same(from_micro_ocr(tmp_path / "m.pth", ALPHANUMERIC), model, images())


def without(model, *keys):
    return {k: v for k, v in model.state_dict().items() if k not in keys}


class TestRefused:
    def refused(self, path, charset=ALPHANUMERIC):
        with pytest.raises(CheckpointError) as caught:
            from_micro_ocr(path, charset)
        assert path.name in str(caught.value)
        assert caught.value.allowed
        assert caught.value.next_step
        return str(caught.value)

    def test_a_charset_of_another_size(self, tmp_path):
        path = saved(tmp_path / "m.pth", original())
        message = self.refused(path, Charset.named("digits"))
        assert "the charset has 10 characters, but" in message
        assert "has 63 classes. Allowed: 62 characters" in message

    def test_the_network_of_2022(self, tmp_path):
        model = nn.Sequential()
        model.tokenizer = nn.Sequential(CBA(3, 8, 3, 2, 1, 1, False), CBA(8, 16, 3, 1, 1, 1, False))
        model.fc = nn.Linear(128, 64)
        assert "no weights named 'conv.conv.weight'" in self.refused(saved(tmp_path / "head.pth", model))
        with pytest.raises(CheckpointError, match="MicroMLPNet"):
            from_micro_ocr(tmp_path / "head.pth", ALPHANUMERIC)

    @pytest.mark.parametrize("key", ["conv.bn.weight", "fc.weight", "fc.bias", "blocks.0.conv1.bn.running_var"])
    def test_weights_that_are_missing(self, tmp_path, key):
        torch.save({"model": without(original(), key)}, tmp_path / "m.pth")
        self.refused(tmp_path / "m.pth")

    @pytest.mark.parametrize(
        ("key", "shape"),
        [
            ("conv.conv.weight", (4,)),
            ("conv.conv.weight", (0, 3, 4, 4)),
            ("conv.conv.weight", (4, 7, 4, 4)),
            ("conv.conv.weight", (4, 3, 5, 5)),
            ("fc.weight", (63,)),
            ("fc.weight", (63, 0)),
            ("fc.weight", (63, 1)),
            ("fc.weight", (63, 34)),
            ("lstm.weight_hh_l0", (128,)),
            ("lstm.weight_hh_l0", (0, 0)),
            ("lstm.weight_hh_l0", (100, 32)),
            ("lstm.weight_ih_l0", (128, 5)),
            ("blocks.99.conv2.conv.weight", (4, 4, 1, 1)),
            ("something.else", (1,)),
        ],
    )
    def test_weights_of_another_shape(self, tmp_path, key, shape):
        model = original(rnn="lstm" if key.startswith("lstm") else None)
        torch.save({"model": {**model.state_dict(), key: torch.zeros(shape)}}, tmp_path / "m.pth")
        self.refused(tmp_path / "m.pth")

    def test_a_one_directional_lstm_is_none_of_theirs(self, tmp_path):
        model = original(rnn="lstm")
        torch.save(without(model, *(k for k in model.state_dict() if "reverse" in k)), tmp_path / "m.pth")
        with pytest.raises(CheckpointError, match="the recurrent layer 'lstm' has 128 rows for 32 units"):
            from_micro_ocr(tmp_path / "m.pth", ALPHANUMERIC)

    @pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 cut off", b"\x80\x02}q\x00."])
    def test_junk(self, tmp_path, content):
        (tmp_path / "m.pth").write_bytes(content)
        self.refused(tmp_path / "m.pth")

    def test_a_file_that_was_cut_off(self, tmp_path):
        data = saved(tmp_path / "m.pth", original()).read_bytes()
        for length in (100, len(data) // 2, len(data) - 10):
            (tmp_path / "m.pth").write_bytes(data[:length])
            self.refused(tmp_path / "m.pth")

    @pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), {"model": 5}, {"model": {}}, {}])
    def test_values_that_are_no_state_dict(self, tmp_path, content):
        torch.save(content, tmp_path / "m.pth")
        self.refused(tmp_path / "m.pth")

    def test_no_file_and_a_folder(self, tmp_path):
        assert "there is no file" in self.refused(tmp_path / "none.pth")
        (tmp_path / "folder").mkdir()
        self.refused(tmp_path / "folder")

    def test_code_is_refused_and_not_run(self, tmp_path):
        class Evil:
            def __reduce__(self):
                return (os.mkdir, (str(tmp_path / "owned"),))

        torch.save({"model": original().state_dict(), "word_acc": Evil()}, tmp_path / "evil.pth")
        message = self.refused(tmp_path / "evil.pth")
        assert "weights_only" not in message  # torch's own advice is to switch the protection off
        assert not (tmp_path / "owned").exists()

    def test_a_whole_pickled_model(self, tmp_path):
        torch.save(original(), tmp_path / "whole.pth")
        assert "save its state_dict()" in self.refused(tmp_path / "whole.pth")
