"""What is in a model file, and that everything else is refused with its reason."""

import json
import random

import onnx
import pytest

from glyphlet import __version__
from glyphlet.charset import Charset
from glyphlet.errors import ModelFileError
from glyphlet.image import Geometry
from glyphlet.runtime.bundle import UNSEALED, is_whole, open_model, seal
from glyphlet.runtime.metadata import Metadata


def refused(path, *words):
    with pytest.raises(ModelFileError) as caught:
        open_model(path)
    message = str(caught.value)
    assert str(path) in message
    assert caught.value.allowed
    assert caught.value.next_step
    for word in words:
        assert word in message
    return message


def test_metadata_round_trip():
    metadata = Metadata(
        name="é",
        charset=Charset.from_text('aA "\\', half_width=True),
        geometry=Geometry(48, 3, 16, 32, 4096, "black", 0.1, 2.5),
        time_stride=8,
        training={"lr": 0.003, "epochs": 30, "nested": {"a": [1, None, True]}},
        measured={"word_accuracy": 0.998},
        parity={"lines": 200},
    )
    again = Metadata.from_json(metadata.to_json(), "file")
    assert again == metadata
    assert again.glyphlet == __version__
    assert again.codec.classes == 6


def test_opened_model_says_what_was_written(model, metadata):
    opened = open_model(model)
    assert opened.metadata == metadata
    assert opened.path == model


def test_characters_of_any_plane_survive_the_file(write_model):
    text = "é中😀'\"\\\x00abcd"
    opened = open_model(write_model(edit=lambda values: values["charset"].update(text=text[:10])))
    assert opened.metadata.charset.text == text[:10]


def test_the_file_is_ordinary_onnx(model):
    onnx.checker.check_model(onnx.load(model))


def test_seal_needs_one_marker():
    assert is_whole(seal(b"x" + UNSEALED + b"y"))
    for wrong in (b"nothing", UNSEALED + UNSEALED, seal(UNSEALED)):
        with pytest.raises(ValueError, match="exactly one"):
            seal(wrong)


def test_missing(tmp_path):
    refused(tmp_path / "no.onnx", "does not exist", "check the path")


def test_folder(tmp_path):
    refused(tmp_path, "is a folder")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(100), b"digits\n", bytes(1000)])
def test_not_onnx(tmp_path, content, capfd):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    refused(path, "is not an ONNX model")
    assert capfd.readouterr().err == ""


def test_empty(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"")
    refused(path, "is empty")


def test_foreign_onnx(tmp_path, make_graph):
    path = tmp_path / "model.onnx"
    onnx.save(make_graph(), path)
    refused(path, "is an ONNX model, but not a Glyphlet model", "glyphlet export")


def test_one_wrong_bit_anywhere(model):
    whole = model.read_bytes()
    rng = random.Random(0)
    for position in range(len(whole)):
        data = bytearray(whole)
        data[position] ^= 1 << rng.randrange(8)
        model.write_bytes(data)
        refused(model, "is damaged")


def test_cut_off_anywhere(model):
    whole = model.read_bytes()
    for length in range(len(whole)):
        model.write_bytes(whole[:length])
        message = refused(model)
        assert "is damaged" in message or length < 12
    model.write_bytes(whole + b"x")
    refused(model, "is damaged")


def test_newer_format(write_model):
    def newer(values):
        values.update(format=2, glyphlet="9.0.0", surprise=1)

    refused(write_model(edit=newer), "has format 2", f"newer than {__version__}", "written by 9.0.0", "pip install -U")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": ["two-heads", "x"]}, ["needs two-heads, x"]),
        ({"head": "attention"}, ["head 'attention'", "Allowed: ctc"]),
        ({"calibration": {"kind": "isotonic"}}, ["calibration 'isotonic'", "Allowed: none, beta"]),
        ({"calibration": {"kind": "beta", "line": [1, 1, 0]}}, ["is no calibration"]),
        (
            {"calibration": {"kind": "beta", "line": [1, 1], "character": [1, 1, 0], "least": None}},
            ["[1, 1] is no calib"],
        ),
        ({"calibration": {"kind": "beta", "line": [-1, 1, 0], "character": [1, 1, 0], "least": None}}, ["-1, 1, 0"]),
        ({"calibration": 3}, ["calibration 3"]),
        ({"format": 1.0}, ["format 1.0"]),
        ({"format": True}, ["format True"]),
        ({"time_stride": 0}, ["time_stride 0"]),
        ({"name": None}, ["name None"]),
        ({"extra": 1}, ["unknown extra"]),
        ({"charset": {"text": "00", "half_width": False}}, ["more than once"]),
        ({"charset": {"text": "0"}}, ["lacks charset.half_width"]),
        ({"geometry": {"height": 32}}, ["lacks geometry.channels"]),
    ],
)
def test_description_that_asks_too_much_or_is_wrong(write_model, change, words):
    refused(write_model(edit=lambda values: values.update(change)), *words)


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("height", 2, "height"),
        ("height", 32.0, "32.0"),
        ("padding", "wrap", "padding"),
        ("std", 0, "std"),
        ("new", 1, "new"),
    ],
)
def test_geometry_that_is_wrong(write_model, key, value, word):
    refused(write_model(edit=lambda values: values["geometry"].update({key: value})), word)


def test_geometry_may_hold_whole_numbers_for_fractions(write_model):
    opened = open_model(write_model(edit=lambda values: values["geometry"].update(mean=0, std=1)))
    assert (opened.metadata.geometry.mean, opened.metadata.geometry.std) == (0, 1)


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"format": NaN}'])
def test_description_that_is_not_a_json_object(write_model, text):
    refused(write_model(text=text), "not ")


def test_lacking_key(write_model):
    refused(write_model(edit=lambda values: values.pop("parity")), "lacks parity")


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        ({"classes": 10}, ["has 10 classes, the description 11"]),
        ({"channels": 3}, ["has 3 channels, the description 1"]),
        ({"height": 48}, ["has 48 rows, the description 32"]),
        ({"input_name": "x"}, ["takes ['x']"]),
    ],
)
def test_graph_that_contradicts_the_description(write_model, make_graph, graph, words):
    refused(write_model(graph=make_graph(**graph)), *words)


def test_graph_that_onnxruntime_cannot_run(write_model, make_graph, capfd):
    graph = make_graph()
    graph.opset_import[0].version = 9999
    refused(write_model(graph=graph), "is whole, but onnxruntime", "pip install -U onnxruntime")
    assert capfd.readouterr().err == ""


def test_a_charset_with_a_case_is_a_feature_of_its_file():
    folded = Metadata("m", Charset.from_text("ab", case="lower"), Geometry(), time_stride=4)
    values = json.loads(folded.to_json())
    assert (values["charset"]["case"], values["features"]) == ("lower", ["charset.case"])
    again = Metadata.from_json(folded.to_json(), "m.onnx")
    assert again.charset == folded.charset
    assert again.to_json() == folded.to_json()
    plain = json.loads(Metadata("m", Charset.from_text("ab"), Geometry(), time_stride=4).to_json())
    assert ("case" in plain["charset"], plain["features"]) == (False, [])
    values["charset"]["case"] = "title"
    with pytest.raises(ModelFileError, match=r"charset\.case 'title'"):
        Metadata.from_json(json.dumps(values), "m.onnx")


@pytest.mark.parametrize(("key", "value"), [("width", 96), ("squeeze", 1.75)])
def test_a_ratio_that_is_not_kept_is_a_feature_of_its_file(key, value):
    changed = Metadata("m", Charset.from_text("ab"), Geometry(**{key: value}), time_stride=4)
    values = json.loads(changed.to_json())
    assert (values["geometry"][key], values["features"]) == (value, [f"geometry.{key}"])
    assert len(values["geometry"]) == 9
    again = Metadata.from_json(changed.to_json(), "m.onnx")
    assert again.geometry == changed.geometry
    assert again.to_json() == changed.to_json()


def test_files_of_lines_whose_ratio_is_kept_are_written_as_before():
    values = json.loads(Metadata("m", Charset.from_text("ab"), Geometry(), time_stride=4).to_json())
    assert list(values["geometry"]) == [
        "height", "channels", "width_step", "min_width", "max_width", "padding", "mean", "std",
    ]  # fmt: skip
    assert values["features"] == []


def test_a_width_that_does_not_fit_is_refused(write_model):
    refused(write_model(edit=lambda values: values["geometry"].update(width=100)), "image.width is 100")
    refused(write_model(edit=lambda values: values["geometry"].update(width=96.0)), "geometry.width 96.0")
