"""The page in a real Chromium reads as Python does, and asks nobody else."""

import base64
import io
import random

import numpy as np
import pytest
from PIL import Image

from glyphlet import Decoding, Reader
from glyphlet.image import decode
from glyphlet.web import vectors
from support import SHARED
from web.conftest import LINE, png, shown, written
from web.test_node import TEXTS


class TestReads:
    def test_texts_are_those_of_python_and_nothing_leaves_the_site(self, visit, reader, site_url):
        found = visit()
        lines = [png(written(text, 18 + number)) for number, text in enumerate(TEXTS)]
        lines += [png(written(text, 30, 190, 60)) for text in TEXTS[:4]]
        if SHARED.is_dir():
            folder = SHARED / "sroie_lines"
            rows = (folder / "train.txt").read_text(encoding="utf-8").splitlines()
            lines += [png(decode(folder / row.split("\t")[0])) for row in random.Random(2).sample(rows, 15)]
        assert [found.give(line) for line in lines] == [reader.read_one(line).text for line in lines]
        assert [url for url in found.asked if not url.startswith((site_url, "blob:", "data:"))] == []
        assert found.complaints == []

    def test_vectors_in_the_browser(self, visit):
        """The bits that the module makes in Chromium, over every published vector."""
        program = """async ([cases, address]) => {
            const { prepare } = await import(address);
            const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
            return cases.map((entry) => {
                const image = bytes(entry.image), step = entry.mode.length, rgba = [];
                for (let at = 0; at < image.length; at += step)
                    rgba.push(image[at], image[at + (step > 1)], image[at + 2 * (step > 1)], step === 4 ? image[at + 3] : 255);
                const line = prepare(rgba, entry.width, entry.height, entry.geometry), expected = bytes(entry.pixels);
                return line.pixels.length === expected.length && line.pixels.every((value, i) => value === expected[i]);
            });
        }"""
        found = visit()
        cases = vectors.vectors()["cases"]
        results = found.page.evaluate(program, [cases, found.page.url + "preprocess.js"])
        assert results == [True] * len(cases)

    def test_files_become_the_pixels_that_pillow_gives(self, visit):
        """Upright, over white, without colour management; partly transparent pixels to the bit."""
        rng = np.random.default_rng(3)
        grey, alpha = np.meshgrid(np.arange(256), np.arange(256))
        clear = np.dstack([grey, 255 - grey, grey // 2, alpha]).astype(np.uint8)
        noise = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        turned = Image.fromarray(noise)
        turned.getexif()[0x0112] = 6
        files = {"clear": png(clear), "noise": png(noise), "grey": png(noise[:, :, 0])}
        for name, save in (
            ("turned", {"format": "PNG", "exif": turned.getexif()}),
            ("gamma", {"format": "PNG", "gamma": 1.0}),
            ("palette", {"format": "GIF"}),
        ):
            buffer = io.BytesIO()
            (turned.convert("P") if name == "palette" else turned).save(buffer, **save)
            files[name] = buffer.getvalue()
        program = """async ([files, address]) => {
            const { pictureFrom } = await import(new URL("picture.js", address));
            const { overWhite } = await import(new URL("preprocess.js", address));
            const found = {};
            for (const [name, text] of Object.entries(files)) {
                const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
                const type = { palette: "image/gif", photo: "image/jpeg" }[name] ?? "image/png";
                const { pixels, width, height } = await pictureFrom(new Blob([bytes], { type }));
                found[name] = [width, height, Array.from(overWhite(pixels))];
            }
            return found;
        }"""
        photo = np.dstack([*np.meshgrid(np.arange(64) * 3, np.arange(40) * 5), np.full((40, 64), 90)])
        buffer = io.BytesIO()
        Image.fromarray(photo.astype(np.uint8)).save(buffer, "JPEG", quality=95, exif=turned.getexif())
        files["photo"] = buffer.getvalue()
        window = visit()
        encoded = {name: base64.b64encode(data).decode() for name, data in files.items()}
        for name, (width, height, values) in window.page.evaluate(program, [encoded, window.page.url]).items():
            expected = decode(files[name]).astype(int)
            assert (height, width) == expected.shape[:2], name
            difference = np.abs(np.array(values).reshape(expected.shape) - expected)
            assert difference.max() <= (2 if name == "photo" else 0), name  # decoders of JPEG may differ by a level

    def test_confidences_and_spans(self, visit, reader):
        found = visit()
        found.give(png(LINE))
        expected = reader.read_one(LINE)
        signs = found.page.query_selector_all("#text .char")
        assert [sign.text_content() for sign in signs] == list(expected.text)
        boxes = found.page.query_selector_all("#overlay rect")
        assert len(boxes) == len(expected.characters)
        for box, sign, character in zip(boxes, signs, expected.characters, strict=True):
            assert float(box.get_attribute("x")) == pytest.approx(character.left)
            assert float(box.get_attribute("width")) == pytest.approx(character.right - character.left)
            level = "sure" if character.confidence >= 0.9 else "unsure" if character.confidence >= 0.5 else "doubtful"
            assert sign.get_attribute("class") == f"char {level}"
            assert box.get_attribute("class") == level
        assert found.page.text_content("#confidence") == f"{100 * expected.confidence:.0f} %"

    def test_an_empty_picture_says_so(self, visit, reader):
        white = np.full((32, 200, 3), 255, np.uint8)
        assert reader.read_one(white).text == ""
        found = visit()
        assert found.give(png(white)) == ""
        assert "Nothing was read" in found.page.text_content("#reason")
        assert found.page.is_visible("#reason")

    def test_a_drawing_of_lines(self, visit, reader):
        """SVG, which the browser opens in another way."""
        bars = "".join(f'<rect x="{20 + 30 * n}" y="8" width="4" height="32"/>' for n in range(4))
        image = f'<svg xmlns="http://www.w3.org/2000/svg" width="160" height="48">{bars}</svg>'
        found = visit()
        assert found.give(image.encode(), "bars.svg", "image/svg+xml") == reader.read_one(shown(found)).text

    def test_what_is_no_image_is_told(self, visit):
        found = visit()
        found.give(b"not an image")
        assert "not an image that the browser can open" in found.page.text_content("#error")
        assert found.give(png(LINE)) == "Total 12.50"
        assert not found.page.is_visible("#error")


class TestPatterns:
    def test_texts_reasons_and_errors(self, visit):
        found = visit()
        found.give(png(LINE))

        def asked(pattern):
            found.page.fill("#pattern", pattern)
            found.page.press("#pattern", "Enter")
            found.page.wait_for_timeout(150)
            return found.read()

        for pattern in (r"\d+\.\d\d", "[A-Z ]+", "date", r"[^\d]+"):
            assert asked(pattern) == Reader("print", decoding=Decoding(pattern=pattern)).read_one(LINE).text
        assert asked(".{900}") == ""
        expected = Reader("print", decoding=Decoding(pattern=".{900}")).read_one(LINE).reason
        assert found.page.text_content("#reason") == f"Nothing was read: {expected}."
        asked("a{2,1}")
        assert "character 2: a repeat from 2 to 1" in found.page.text_content("#pattern-error")
        assert found.page.get_attribute("#pattern", "aria-invalid") == "true"
        assert asked("") == "Total 12.50"
