"""Labels that are too long for a model that writes class after class."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from glyphlet.charset import Charset
from glyphlet.cli import app
from glyphlet.codec import SequenceCodec
from glyphlet.data.auditing.audit import Rules, audit
from glyphlet.data.auditing.repair import repair
from glyphlet.data.check import check_lines, enforce
from glyphlet.data.lineset import ListedLines
from glyphlet.data.open import open_lines
from glyphlet.data.sample import Sample
from glyphlet.errors import AlignmentError
from glyphlet.export.onnx import export_model
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec
from support import part

TEXTS = ("111", "1234", "12345", "123456")


def samples():
    noise = np.random.default_rng(0).integers(0, 255, (len(TEXTS), 32, 40, 1), dtype=np.uint8)
    return [Sample(image, text, f"line {i}") for i, (image, text) in enumerate(zip(noise, TEXTS, strict=True))]


def test_before_a_training():
    lines, report = check_lines(samples(), SequenceCodec(Charset.named("digits")), Geometry(), lambda width: 4 + 1)
    assert [line.text for line in lines] == ["111", "1234"]  # equal neighbours need no more than others
    assert report.messages() == [
        "training lines: 2 of 4 labels are too long for a model that writes 4 characters: "
        "'12345' has 5 characters (line 2); '123456' has 6 characters (line 3)"
    ]
    with pytest.raises(AlignmentError) as caught:
        enforce(report, "error", "error", "error")
    assert caught.value.allowed == "at most 4 characters"
    assert caught.value.next_step == (
        "set model.head.max_length to 6 or more, mend them, or leave them out with --set data.unalignable=drop"
    )


def test_in_an_audit():
    rules = Rules(steps=lambda width: 5, most=4, model="model x.onnx")
    found = audit(ListedLines(samples()), rules)
    assert [example.detail for example in found["too_long"].examples] == [
        "has 5 characters, the model writes 4",
        "has 6 characters, the model writes 4",
    ]
    assert found["too_long"].note == "a max_length of 6 would do for all of them (model x.onnx)"
    assert sorted(repair(ListedLines(samples()), found, rules, []).dropped) == [2, 3]


@pytest.fixture
def labels(tmp_path):
    for number in range(len(TEXTS)):
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (32, 40), dtype=np.uint8)).save(
            tmp_path / f"{number}.png"
        )
    text = "".join(f"{number}.png\t{text}\n" for number, text in enumerate(TEXTS))
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8")
    return tmp_path / "labels.txt"


@pytest.mark.parametrize("head", ["attention", "lstm"])
def test_with_a_model_or_a_recipe(head, labels, tmp_path):
    neck = part("latent", features=4) if head == "lstm" else part("fold")
    spec = ModelSpec(backbone=part("micro", nh=2, depth=0), neck=neck, head=part(head, max_length=4))
    model = build(spec, Geometry(), Charset.named("digits"))
    images = [line.source for line in open_lines(labels)]
    export_model(model, tmp_path / "m.onnx", images, name="x", training={}, measured={})
    (tmp_path / "r.yaml").write_text(
        f"name: r\ncharset: {{name: digits}}\nmodel: {json.dumps(spec.model_dump(mode='json'))}\n", encoding="utf-8"
    )
    for given in (["--model", str(tmp_path / "m.onnx")], ["--recipe", str(tmp_path / "r.yaml")]):
        result = CliRunner().invoke(app, ["data", "check", str(labels), "--json", *given])
        findings = {f["kind"]: f for f in json.loads(result.stdout)["findings"]}
        assert result.exit_code == 1
        assert findings["too_long"]["count"] == 2
