"""Calibration on labelled lines: worked by hand, on made-up confidences, and on a file."""

import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet.data.sample import Sample
from glyphlet.decode.calibration import Beta, Calibration
from glyphlet.errors import ExportError
from glyphlet.export.betafit import fit_beta, mapped
from glyphlet.export.calibrate import (
    FEWEST,
    calibrate,
    calibrate_file,
    calibrate_if_enough,
)
from glyphlet.image import prepare
from glyphlet.reliability import expected_calibration_error
from glyphlet.runtime.reader import Reader
from glyphlet.runtime.shipped import model_path
from glyphlet.synth.nontext import not_text


def drawn(count, temperature=2.0, bias=0.0, seed=0):
    """Confidences whose odds are too sure by a temperature, and what was right."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(1, 2, count)
    right = (rng.random(count) < 1 / (1 + np.exp(-odds - bias))).astype(float)
    return 1 / (1 + np.exp(-temperature * odds)), right


class TestFit:
    def test_a_temperature_is_found(self):
        found = fit_beta(*drawn(40_000), kind="temperature")
        assert found.a == found.b == pytest.approx(0.5, abs=0.02)
        assert found.c == 0

    def test_beta_finds_a_bias_that_a_temperature_cannot(self):
        found = fit_beta(*drawn(40_000, bias=1.0))
        assert (found.a, found.b, found.c) == pytest.approx((0.5, 0.5, 1.0), abs=0.1)

    def test_few_lines_are_drawn_to_no_change(self):
        found = fit_beta(np.array([0.9, 0.2]), np.array([1.0, 0.0]))
        assert all(0.5 < value < 2 for value in (found.a, found.b))
        assert abs(found.c) < 1

    def test_parameters_never_turn_the_order(self):
        confidences = np.linspace(0.01, 0.99, 400)
        found = fit_beta(confidences, (confidences < 0.5).astype(float))  # the surer, the more often wrong
        assert found.a >= 0
        assert found.b >= 0

    @pytest.mark.parametrize("kind", ["temperature", "beta"])
    def test_the_log_loss_is_least(self, kind):
        confidences, right = drawn(500, bias=0.5)

        def loss(a, b, c):
            odds = a * np.log(confidences) - b * np.log1p(-confidences) + c
            pulled = (a - 1) ** 2 / 2 + ((b - 1) ** 2 / 2 + c**2 / 2 if kind == "beta" else 0)
            return np.log1p(np.exp(-np.where(right > 0, odds, -odds))).sum() + pulled

        found = fit_beta(confidences, right, kind)
        best = loss(found.a, found.b, found.c)
        for step in (-0.02, 0.02):
            moved = [(found.a + step, found.b + step, found.c)]
            if kind == "beta":
                moved = [
                    (found.a + step, found.b, found.c),
                    (found.a, found.b + step, found.c),
                    (found.a, found.b, found.c + step),
                ]
            assert all(loss(*one) > best for one in moved)


class TestError:
    def test_a_calibrated_forecast_has_little(self):
        confidences, right = drawn(30_000, temperature=1.0)
        assert expected_calibration_error(confidences, right) < 0.01
        assert (
            expected_calibration_error(
                mapped(fit_beta(*drawn(30_000)), drawn(30_000, seed=1)[0]), drawn(30_000, seed=1)[1]
            )
            < 0.01
        )
        assert expected_calibration_error(*drawn(30_000)) > 0.05


@pytest.fixture(scope="module")
def lines():
    """Numbers that `digits` reads, one in five with another label."""
    from glyphlet.spec import SynthSpec
    from glyphlet.synth.render import RenderedSet

    spec = SynthSpec.model_validate({"count": 120, "text": "random", "min_length": 2, "max_length": 6, "seed": 3})
    reader = Reader("digits")
    made = RenderedSet(spec, reader.metadata.charset, "validation")
    texts = [reading.text for reading in reader.read([line.image for line in made])]
    return [
        Sample(line.image, text + "1" if number % 5 == 0 else text or "1", f"line {number}")
        for number, (line, text) in enumerate(zip(made, texts, strict=True))
    ]


class TestFile:
    def test_the_file_says_what_was_measured_and_reads_so(self, tmp_path, lines):
        path = shutil.copy(model_path("digits"), tmp_path / "model.onnx")
        found = calibrate_file(path, lines)
        reader, raw = Reader(path), Reader(path, calibrated=False)
        assert reader.metadata.calibration == found.calibration.to_dict()
        assert reader.metadata.measured["calibration"] == found.to_dict()
        assert found.lines.count == 120
        images = [line.source for line in lines]
        for image, ready, plain in zip(images, reader.read(images), raw.read(images), strict=True):
            assert ready == found.calibration.apply(plain, prepare(image, reader.metadata.geometry))

    def test_images_without_text_are_rejected(self):
        readings = Reader("print").read(not_text(110, seed=99))
        rejected = [reading for reading in readings if reading.reason]
        assert len(rejected) >= 100
        assert all(reading.text == "" and reading.confidence == 0 for reading in rejected)

    def test_the_shares_are_those_of_the_lines(self, lines):
        found = calibrate(Reader("digits", calibrated=False), lines)
        raw = Reader("digits", calibrated=False).read([line.source for line in lines])
        prepared = [prepare(line.source, Reader("digits").metadata.geometry) for line in lines]
        rejected = [bool(found.calibration.apply(*pair).reason) for pair in zip(raw, prepared, strict=True)]
        assert found.rejected_lines == pytest.approx(np.mean(rejected))
        assert found.lines.right == pytest.approx(np.mean([r.text == s.text for r, s in zip(raw, lines, strict=True)]))

    def test_too_few_lines(self, tmp_path, lines):
        path = shutil.copy(model_path("digits"), tmp_path / "model.onnx")
        before = path.read_bytes()
        with pytest.raises(ExportError, match=f"19 lines are too few.*Allowed: {FEWEST} or more"):
            calibrate_file(path, lines[:19])
        assert "19 validation lines are fewer" in calibrate_if_enough(path, lines[:19])
        assert path.read_bytes() == before

    def test_with_hardly_any_lines_the_start_is_followed(self, tmp_path, lines):
        path = shutil.copy(model_path("digits"), tmp_path / "model.onnx")
        told = calibrate_if_enough(path, lines[:5], Calibration(Beta(2, 2, 1), Beta(), -0.75, 3.0))
        assert "as by the start: 5 validation lines" in told
        assert Reader(path).metadata.calibration == Calibration(least=-0.75, shift=3.0).to_dict()

    def test_few_lines_find_the_bound_alone(self, lines):
        found = calibrate(Reader("digits", calibrated=False), lines[:99])
        assert (found.lines.kind, found.characters.kind) == ("none", "none")
        assert -3 < found.calibration.least < 0

    def test_case_does_not_count_where_labels_do_not_have_it(self):
        font = ImageFont.load_default(28)
        samples = []
        for number in range(30):
            text = f"Line No {number}"
            image = Image.new("L", (int(font.getlength(text)) + 16, 44), 255)
            ImageDraw.Draw(image).text((8, 4), text, font=font, fill=0)
            samples.append(Sample(np.asarray(image), text.upper(), "upper"))
        reader = Reader("print", calibrated=False)
        with pytest.raises(ExportError, match="none of the 30 lines is read as its label says.*--ignore-case"):
            calibrate(reader, samples)
        found = calibrate(reader, samples, ignore_case=True)
        assert found.lines.right > 0.4
        assert found.characters.right > 0.9

    def test_a_folder_that_is_not_there(self, tmp_path, lines):
        with pytest.raises(ExportError, match="nothing can be written"):
            calibrate_file(model_path("digits"), lines, tmp_path / "none" / "model.onnx")
