import contextlib
import io
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from glyphlet import image as module
from glyphlet.errors import ImageError, RecipeError
from glyphlet.image import Geometry, decode, fit, prepare, scale, stack


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_all_sources_of_the_same_pixels_give_the_same_array(tmp_path):
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    picture = Image.fromarray(pixels)
    path = tmp_path / "a.png"
    picture.save(path)
    data = path.read_bytes()
    for source in (pixels, picture, path, str(path), data, bytearray(data), memoryview(data)):
        assert (decode(source) == pixels).all()


def test_grey_is_luma():
    red = np.zeros((1, 1, 3), np.uint8)
    red[..., 0] = 255
    assert decode(red, channels=1).tolist() == [[[76]]]  # 0.299 * 255


def test_sixteen_bit_values_are_scaled_not_clipped():
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    data = encoded(Image.fromarray(values), "PNG")
    assert decode(data, channels=1)[..., 0].tolist() == [[0, 100, 255]]
    assert decode(values, channels=1)[..., 0].tolist() == [[0, 100, 255]]


def test_dark_sixteen_bit_images_are_scaled_like_bright_ones():
    values = np.array([[0, 90, 200, 257]], np.uint16)  # all but black; once read as if they were 8 bits
    for source in (values, Image.fromarray(values), encoded(Image.fromarray(values), "PNG")):
        assert decode(source, channels=1)[..., 0].tolist() == [[0, 0, 0, 1]]


def test_floats_in_a_file_are_refused(tmp_path):
    path = tmp_path / "float.tiff"
    Image.fromarray(np.zeros((4, 4), np.float32)).save(path)
    with pytest.raises(ImageError, match=r"float\.tiff .*floats"):
        decode(path)


def test_programs_that_draw_are_no_images():
    with pytest.raises(ImageError, match="is not an image"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n%%EOF\n")


def test_transparency_is_laid_over_white():
    rgba = np.zeros((1, 2, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    assert decode(encoded(Image.fromarray(rgba), "PNG")).tolist() == [[[10, 20, 30], [255, 255, 255]]]
    palette = Image.new("P", (1, 1), 0)
    palette.putpalette([9, 9, 9] * 256)
    assert decode(encoded(palette, "PNG", transparency=0)).tolist() == [[[255, 255, 255]]]


def test_cmyk_is_converted():
    data = encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG", quality=95)
    assert decode(data).min() >= 253  # no ink is white


def test_exif_orientation_is_applied(tmp_path):
    picture = Image.new("L", (20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    picture.save(path, exif=exif)
    assert decode(path).shape == (20, 10, 3)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.png", "missing.png does not exist"),
        (b"no image", "is not an image"),
        (b"", "is not an image"),
        (np.zeros((2, 2), np.float32), "has type float32"),
        (np.zeros((2, 2, 2), np.uint8), "does not have the shape"),
        (np.zeros((0, 2), np.uint8), "has no pixels"),
        (7, "a int is not an image"),
    ],
)
def test_what_is_no_image_is_refused(source, message):
    with pytest.raises(ImageError, match=message):
        decode(source)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_damaged_files_are_refused_by_name(tmp_path, kind):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 200, 3), dtype=np.uint8))
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(encoded(noise, kind)[:-900])
    with pytest.raises(ImageError, match=r"cut\.\w+ is damaged"):
        decode(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_whatever_is_damaged_no_other_error_comes_out(tmp_path, kind):
    rng = np.random.default_rng(1)
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = encoded(Image.fromarray(rng.integers(0, 255, (24, 60, 3), dtype=np.uint8)), kind, exif=exif)
    for _ in range(150):
        data = bytearray(whole)
        for place in rng.integers(0, min(len(data), 300), 3):
            data[place] = rng.integers(256)
        (tmp_path / "x").write_bytes(data)
        with contextlib.suppress(ImageError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            decode(tmp_path / "x")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match="is a folder"):
        decode(tmp_path)


def test_too_many_pixels_are_refused_before_decoding(monkeypatch):
    monkeypatch.setattr(module, "MAX_PIXELS", 99)
    with pytest.raises(ImageError, match="10 x 10 pixels, more than 99"):
        decode(encoded(Image.new("L", (10, 10)), "PNG"))


def test_a_tiny_and_a_very_wide_image_are_lines():
    tiny = prepare(np.zeros((1, 1), np.uint8), Geometry())
    assert (tiny.pixels.shape, tiny.scaled_width) == ((1, 32, 32), 32)
    narrow = prepare(np.zeros((100, 1), np.uint8), Geometry())
    assert (narrow.pixels.shape, narrow.scaled_width) == ((1, 32, 8), 1)
    wide = prepare(np.zeros((32, 30_000), np.uint8), Geometry())
    assert wide.pixels.shape == (1, 32, 30_000)
    with pytest.raises(ImageError, match="40000 wide at height 32.*cut the line"):
        prepare(np.zeros((16, 20_000), np.uint8), Geometry())


def test_padding_repeats_the_edge_or_is_black():
    pixels = np.full((32, 5, 1), 7, np.uint8)
    assert (fit(pixels, Geometry(padding="edge")).pixels == 7).all()
    padded = fit(pixels, Geometry(padding="black")).pixels
    assert (padded[:, :, :5] == 7).all()
    assert (padded[:, :, 5:] == 0).all()


@given(st.integers(1, 90), st.integers(1, 400), st.sampled_from([1, 4, 8, 32]))
def test_the_ratio_is_kept_and_the_width_is_a_multiple_of_the_step(height, width, step):
    geometry = Geometry(width_step=step)
    line = prepare(np.zeros((height, width), np.uint8), geometry)
    padded = line.pixels.shape[2]
    assert line.scaled_width == max(1, round(width * 32 / height))
    assert padded % step == 0
    assert max(line.scaled_width, 8) <= padded < max(line.scaled_width, 8) + step
    assert geometry.padded_width(line.scaled_width) == padded


def test_scaling_is_by_mean_and_std():
    values = scale(np.array([0, 51, 255], np.uint8), Geometry(mean=0.5, std=0.25))
    np.testing.assert_allclose(values, [-2, -1.2, 2], atol=1e-6)
    assert values.dtype == np.float32


def test_stack_needs_equal_widths():
    a, b = (prepare(np.zeros((32, w), np.uint8), Geometry()) for w in (8, 16))
    assert stack([a, a]).shape == (2, 1, 32, 8)
    with pytest.raises(ValueError, match="shape"):
        stack([a, b])


@pytest.mark.parametrize("values", [{"channels": 2}, {"height": 0}, {"std": 0}, {"padding": "x"}, {"width_step": 0}])
def test_bad_geometries_are_refused(values):
    name = next(iter(values))
    with pytest.raises(RecipeError, match=rf"image\.{name} is"):
        Geometry(**values)


class TestWidths:
    """Lines whose ratio is not kept."""

    def test_every_line_is_stretched_to_one_width(self):
        geometry = Geometry(width=100, width_step=4)
        ramp = np.tile(np.arange(50, dtype=np.uint8) * 5, (16, 1))
        line = prepare(ramp, geometry)
        assert (line.pixels.shape, line.scaled_width, line.width) == ((1, 32, 100), 100, 50)
        expected = Image.fromarray(ramp).resize((100, 32), Image.Resampling.BILINEAR)
        assert np.array_equal(line.pixels[0], np.asarray(expected))
        assert {prepare(np.zeros(size, np.uint8), geometry).pixels.shape for size in ((5, 900), (90, 2))} == {
            (1, 32, 100)
        }

    def test_the_width_is_squeezed_after_the_ratio_was_kept(self):
        geometry = Geometry(squeeze=1.75, width_step=4)
        line = prepare(np.zeros((64, 560), np.uint8), geometry)  # 280 x 32, as the Chinese CRNN's lines
        assert (line.pixels.shape, line.scaled_width) == ((1, 32, 160), 160)
        assert geometry.scaled_width(1, 100) == 1

    @given(
        st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 300)), min_size=1),
        st.sampled_from([{}, {"squeeze": 1.75}, {"squeeze": 0.3}, {"width": 96}, {"height": 48}]),
    )
    def test_many_widths_at_once_are_those_of_each(self, sizes, values):
        geometry = Geometry(**values)
        widths, heights = np.array(sizes, np.int32).T
        expected = [geometry.scaled_width(width, height) for width, height in sizes]
        assert geometry.scaled_widths(widths, heights).tolist() == expected

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"width": 100}, r"image\.width is 100.*0, or a multiple of 8 \(width_step\) from 8 to"),
            ({"width": -8}, r"image\.width is -8"),
            ({"width": 8, "min_width": 16}, r"image\.width is 8.*from 16"),
            ({"width": 80, "max_width": 64}, r"image\.width is 80.*to 64"),
            ({"width": 80, "width_step": 0}, r"image\.width_step is 0"),
            ({"squeeze": 0.0}, r"image\.squeeze is 0"),
            ({"squeeze": float("nan")}, r"image\.squeeze is nan"),
            ({"squeeze": 2.0, "width": 96}, r"image\.squeeze is 2.*1, where image\.width stretches"),
        ],
    )
    def test_what_they_cannot_be(self, values, message):
        with pytest.raises(RecipeError, match=message):
            Geometry(**values)
