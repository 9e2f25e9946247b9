"""Reading with a model whose output is known (see conftest)."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from glyphlet import Decoding, GlyphletError, Reader
from glyphlet.errors import ImageError, RecipeError
from glyphlet.image import Geometry, prepare
from glyphlet.runtime import batches as batches_module

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def reader(model):
    return Reader(model)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_reads_stripes(reader, stripes):
    reading = reader.read_one(stripes("407"))
    assert reading.text == "407"
    assert reading.raw == "__44__00__77__"
    assert reading.confidence == pytest.approx(1.0, abs=1e-5)
    assert [(c.char, c.left, c.right) for c in reading.characters] == [("4", 8, 16), ("0", 24, 32), ("7", 40, 48)]
    assert reading.source == "array uint8 (32, 56)"


def test_spans_are_in_pixels_of_the_original(reader, stripes):
    big = np.kron(stripes("52"), np.ones((2, 2), np.uint8))
    assert [(c.left, c.right) for c in reader.read_one(big).characters] == [(16, 32), (48, 64)]


def test_nothing_to_read(reader):
    assert reader.read([]) == []


def test_every_kind_of_source(reader, stripes, tmp_path):
    pixels = stripes("31")
    image = Image.fromarray(pixels)
    image.save(tmp_path / "line.png")
    png = encoded(image, "PNG")
    sources = [tmp_path / "line.png", str(tmp_path / "line.png"), png, bytearray(png), memoryview(png), pixels, image]
    sources += [pixels[:, :, None], np.dstack([pixels] * 3)]
    readings = reader.read(sources)
    assert [reading.text for reading in readings] == ["31"] * 9
    assert [reading.source for reading in readings[:3]] == [str(sources[0])] * 2 + [f"image of {len(png)} bytes"]


def test_cmyk_jpeg(reader, stripes):
    cmyk = Image.fromarray(stripes("26")).convert("RGB").convert("CMYK")
    assert reader.read_one(encoded(cmyk, "JPEG", quality=95)).text == "26"


def test_png_of_16_bits(reader, stripes):
    deep = Image.fromarray(stripes("803").astype(np.uint16) * 257)
    assert reader.read_one(encoded(deep, "PNG")).text == "803"


def test_transparent_png(reader, stripes):
    grey = stripes("14")
    # The paper is transparent, and black where it cannot be seen.
    rgba = np.dstack([np.where(grey == 255, 0, grey)] * 3 + [np.where(grey == 255, 0, 255)]).astype(np.uint8)
    assert reader.read_one(encoded(Image.fromarray(rgba), "PNG")).text == "14"


def test_one_pixel(reader):
    reading = reader.read_one(np.full((1, 1), 255, np.uint8))
    assert (reading.text, reading.raw) == ("", "_" * 8)  # scaled to 32 x 32
    assert reader.read_one(np.zeros((1, 1), np.uint8)).characters[0].right == 1.0


def test_thirty_thousand_pixels(reader, stripes):
    digits = "0123456789" * 187
    wide = stripes(digits)
    assert wide.shape[1] == 29_928
    assert reader.read_one(wide).text == digits


def test_too_wide_or_not_an_image_names_the_source(reader, tmp_path):
    with pytest.raises(ImageError, match=r"array uint8 \(32, 40000\).*cut the line"):  # a beam wants the whole
        reader.using(Decoding()).read([np.zeros((32, 40_000), np.uint8)])
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(ImageError, match=r"a\.png is not an image"):
        reader.read([tmp_path / "a.png"])


@pytest.mark.parametrize("kind", ["str", "path", "bytes", "array", "image"])
def test_a_single_image_is_not_taken_for_a_list(reader, stripes, kind):
    pixels = stripes("1")
    single = {"str": "a.png", "path": Path("a.png"), "bytes": b"x", "array": pixels, "image": Image.fromarray(pixels)}
    with pytest.raises(ImageError, match=r"read\(\[image\]\)"):
        reader.read(single[kind])


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "8"])
def test_batch_and_threads_must_be_counts(reader, model, value):
    with pytest.raises(GlyphletError, match="batch is"):
        reader.read([], batch=value)
    with pytest.raises(GlyphletError, match="threads is"):
        Reader(model, threads=value)


@given(
    st.lists(st.text("0123456789", min_size=1, max_size=6), min_size=1, max_size=12), st.integers(1, 5), st.randoms()
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_neither_order_nor_batch_size_changes_a_reading(reader, stripes, texts, batch, rng):
    rng_numpy = np.random.default_rng(0)
    sources = []
    for text in texts:
        noise = rng_numpy.integers(-20, 21, stripes(text).shape)  # so that confidences are not all 1
        sources.append(np.clip(stripes(text) + noise, 0, 255).astype(np.uint8))
    alone = [reader.read_one(source) for source in sources]
    order = list(range(len(sources)))
    rng.shuffle(order)
    together = reader.read([sources[i] for i in order], batch=batch)
    for position, reading in zip(order, together, strict=True):
        assert reading.text == alone[position].text == texts[position]
        assert reading.raw == alone[position].raw
        assert reading.confidence == pytest.approx(alone[position].confidence, rel=1e-5)


def test_threads_change_nothing(model, stripes):
    sources = [stripes(str(number)) for number in range(100)]
    assert [r.text for r in Reader(model, threads=2).read(sources)] == [str(number) for number in range(100)]


def test_several_threads_may_share_a_reader(reader, stripes):
    texts = [str(number) for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        assert [r.text for r in pool.map(lambda text: reader.read_one(stripes(text)), texts)] == texts


def test_batches_are_bounded(reader, stripes, monkeypatch):
    sizes = []
    monkeypatch.setattr(batches_module, "MAX_BATCH_PIXELS", 3 * 32 * 24)
    monkeypatch.setattr(reader, "logits", lambda lines, run=reader.logits: (sizes.append(len(lines)), run(lines))[1])
    assert [r.text for r in reader.read([stripes("7")] * 7)] == ["7"] * 7
    assert sizes == [3, 3, 1]


def test_few_lines_wait(reader, stripes, monkeypatch):
    monkeypatch.setattr(batches_module, "MAX_WAITING_PIXELS", 32 * 100)
    texts = [str(10**power) for power in range(6)] * 3
    pulled = 0

    class Sources(list):
        def __iter__(self):
            nonlocal pulled
            for source in super().__iter__():
                pulled += 1
                yield source

    waiting = []
    read = 0
    for group in batches_module.batches(reader._lines(Sources(stripes(text) for text in texts)), 32):
        waiting.append(pulled - read)
        read += len(group)
    assert read == len(texts)
    assert max(waiting) <= 4
    assert [r.text for r in reader.read([stripes(text) for text in texts])] == texts


def test_logits_of_lines(reader, stripes):
    lines = [prepare(stripes(text), reader.metadata.geometry) for text in ("12", "34")]
    logits = reader.logits(lines)
    assert logits.shape == (2, 10, 11)
    assert logits.dtype == np.float32
    # 2 s v x - s v^2 for class "1" (v = 0.1) on the first stripe, of grey 26.
    assert logits[0, 2, 2] == pytest.approx(2000 * (2 * 0.1 * 26 / 255 - 0.01), rel=1e-4)


def test_nothing_is_printed(model, stripes, capfd):
    Reader(model).read_one(stripes("5"))
    assert capfd.readouterr() == ("", "")


def test_format_1_stays_readable(stripes):
    """`format1.onnx` was written by Glyphlet 0.1.0 and must never be written anew: a micro model (nh 2, 174 weights)
    that was trained to read the digits 0, 3 and 6 as stripes of grey."""
    reader = Reader(FIXTURES / "format1.onnx")
    assert reader.metadata.glyphlet == "0.1.0"
    assert reader.metadata.charset.text == "036"
    assert reader.metadata.geometry.height == 32
    assert reader.metadata.parity["texts_differing"] == 0
    for text in ("036", "6", "3300", "60606"):
        reading = reader.read_one(stripes(text))
        assert reading.text == text
        assert reading.confidence > 0.9


@pytest.mark.parametrize(
    ("change", "wide"),
    [({"width": 80}, 160), ({"width": 80}, 80), ({"squeeze": 2.0}, 160)],
)
def test_spans_of_lines_whose_ratio_is_not_kept_are_in_pixels_of_the_original(write_model, stripes, change, wide):
    """A line of 80 x 32 after scaling, drawn `wide` pixels wide."""
    (key,) = change
    reader = Reader(write_model(edit=lambda values: values["geometry"].update(change)))
    assert reader.metadata.geometry == Geometry(mean=0.0, std=1.0, **change)
    drawn = np.asarray(Image.fromarray(stripes("5207")[:, :72]).resize((wide * 72 // 80, 32), Image.Resampling.NEAREST))
    padded = np.full((32, wide), 255, np.uint8)
    padded[:, : drawn.shape[1]] = drawn
    reading = reader.read_one(padded)
    assert reading.text == "5207", key
    scale = wide / 80
    edges = [edge / scale for c in reading.characters for edge in (c.left, c.right)]
    np.testing.assert_allclose(edges, [8, 16, 24, 32, 40, 48, 56, 64], atol=4)
    assert edges == sorted(edges)


class TestDecoding:
    def test_a_pattern(self, model, stripes):
        image = stripes("2718")
        reader = Reader(model, decoding=Decoding(pattern="[0-6]{2,6}"))
        reading = reader.read_one(image)
        assert set(reading.text) <= set("0123456")
        assert reading.confidence < 1e-6
        assert reader.using(None).read_one(image) == Reader(model).read_one(image)
        assert reader.using(Decoding(pattern=r"\d{4}")).read_one(image).text == "2718"

    def test_other_readers_of_the_same_model_are_left_as_they_are(self, model, stripes):
        plain = Reader(model)
        plain.using(Decoding(lexicon=["12"]))
        assert plain.read_one(stripes("34")).text == "34"

    def test_neither_order_nor_batch_size_changes_a_reading(self, model, stripes):
        reader = Reader(model, decoding=Decoding(pattern="[1-8]*"))
        images = [stripes(str(number)) for number in (90, 12, 345, 99, 7, 10)]
        alone = [reader.read_one(image) for image in images]
        for batch in (1, 2, 32):
            assert reader.read(images, batch=batch) == alone

    def test_a_pattern_that_the_model_cannot_write(self, model):
        with pytest.raises(RecipeError, match="allows no text that the model can write"):
            Reader(model, decoding=Decoding(pattern="[A-Z]+"))

    def test_a_line_with_too_few_steps(self, model, stripes):
        reading = Reader(model, decoding=Decoding(pattern=r"\d{500}")).read_one(stripes("1"))
        assert (reading.text, reading.confidence) == ("", 0.0)
        assert reading.reason.startswith(r"the pattern '\\d{500}' needs at least 500 time steps, and the line has ")


def test_what_is_legal_but_not_likely_is_read_where_there_is_text():
    """A clear line whose greedy text is not legal: the pattern's text is far less probable, and yet the one that was asked for."""
    font = ImageFont.load_default(28)
    image = Image.new("L", (int(font.getlength("Total 12")) + 16, 44), 255)
    ImageDraw.Draw(image).text((8, 4), "Total 12", font=font, fill=0)
    bound = Reader("print", decoding=Decoding(pattern=r"Tot[bo]l \d\d"))
    reading = bound.read_one(image)
    assert (reading.text, reading.reason) == ("Totol 12", "")
    assert reading.confidence < 1e-3
    blank = bound.read_one(Image.new("L", (160, 44), 255))
    assert (blank.text, bool(blank.reason)) == ("", True)


def test_what_is_legal_and_does_not_stand_there_is_not_invented():
    font = ImageFont.load_default(28)
    image = Image.new("L", (int(font.getlength("Hello world")) + 16, 44), 255)
    ImageDraw.Draw(image).text((8, 4), "Hello world", font=font, fill=0)
    reading = Reader("print", decoding=Decoding(pattern=r"[A-Z]{2}\d{6}")).read_one(image)
    assert (reading.text, reading.confidence, reading.characters) == ("", 0, ())
    assert reading.reason.startswith("no legal text is likely: the best is '")
    free = Reader("print", decoding=Decoding(pattern=r"[A-Z]{2}\d{6}"), calibrated=False).read_one(image)
    assert len(free.text) == 8
