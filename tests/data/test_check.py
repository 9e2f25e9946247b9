import numpy as np
import pytest
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.data.check import check_lines, enforce
from glyphlet.data.sample import Sample
from glyphlet.errors import AlignmentError, CharsetError, ImageError
from glyphlet.image import Geometry

CODEC = CTCCodec(Charset.named("digits"))
WHITE = np.full((32, 40, 1), 255, np.uint8)


def check(*samples):
    return check_lines(
        [Sample(image, text, f"line {i}") for i, (image, text) in enumerate(samples)],
        CODEC,
        Geometry(),
        lambda w: w // 4,
    )


def test_good_lines_carry_their_labels_and_widths():
    lines, report = check((WHITE, "12"))
    assert (lines[0].labels, lines[0].padded_width, lines[0].text) == ([2, 3], 40, "12")
    assert report.messages() == []
    enforce(report, "error", "error", "error")


def test_widths_from_a_file_header_are_those_of_the_decoded_image(tmp_path):
    Image.new("L", (123, 17)).save(tmp_path / "a.png")
    lines, _ = check((tmp_path / "a.png", "1"), (Image.new("L", (123, 17)), "1"))
    assert lines[0].padded_width == lines[1].padded_width == 232


def test_unknown_characters_are_reported_once_with_counts():
    lines, report = check((WHITE, "1x"), (WHITE, "xx1y"), (WHITE, "3"))
    assert [line.text for line in lines] == ["3"]
    assert report.unknown == {"x": 3, "y": 1}
    with pytest.raises(CharsetError, match=r"2 of 3 lines hold characters outside.*'x' .* 3 times.*data\.unknown=drop"):
        enforce(report, "error", "error", "error")
    enforce(report, "drop", "error", "error")


def test_labels_that_ctc_cannot_align_are_found_repeats_counted():
    # 40 pixels are 10 steps: ten different digits fit, six equal ones need eleven.
    lines, report = check((WHITE, "1234567890"), (WHITE, "111111"), (WHITE, "12345678901"))
    assert [line.text for line in lines] == ["1234567890"]
    assert "'111111' needs 11 steps, its image of 40 pixels gives 10" in report.unalignable.examples[0]
    with pytest.raises(AlignmentError, match="2 of 3 labels are too long.*unalignable=drop"):
        enforce(report, "error", "error", "error")
    enforce(report, "error", "drop", "error")


def test_damage_behind_the_header_is_found(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 200), dtype=np.uint8))
    path = tmp_path / "cut.jpg"
    noise.save(path)
    path.write_bytes(path.read_bytes()[:-1500])
    lines, report = check((path, "1"), (WHITE, "2"))
    assert [line.text for line in lines] == ["2"]
    assert "cut.jpg is damaged" in report.unreadable.examples[0]


def test_unreadable_images_are_found(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"nonsense")
    lines, report = check(
        (tmp_path / "bad.png", "1"), (tmp_path / "none.png", "1"), (np.zeros((1, 5000), np.uint8), "1")
    )
    assert len(lines) == 0
    assert report.unreadable.count == 3
    assert "160000 pixels wide" in report.unreadable.examples[2]
    with pytest.raises(ImageError, match=r"3 of 3 images cannot be read.*bad\.png is not an image.*\(line 0\)"):
        enforce(report, "drop", "drop", "error")


@pytest.mark.parametrize(
    ("geometry", "width", "steps"),
    [(Geometry(width=24), 24, 6), (Geometry(squeeze=2.0), 24, 6), (Geometry(), 40, 10)],
)
def test_the_width_is_that_of_the_model_where_the_ratio_is_not_kept(geometry, width, steps):
    """A line of 40 x 32: its 6 digits of one kind need 11 steps, 3 of them 5, 4 of them 7."""
    samples = [Sample(WHITE, text, text) for text in ("111", "1111", "111111")]
    lines, report = check_lines(samples, CODEC, geometry, lambda w: w // 4)
    assert [line.text for line in lines] == ["111", "1111"][: 1 if steps < 7 else 2]
    assert {line.padded_width for line in lines} == {width}
    assert f"of {width} pixels gives {steps}" in str(report.unalignable)
