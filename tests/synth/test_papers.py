from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlet.errors import GlyphletError
from glyphlet.spec import SynthSpec
from glyphlet.synth.background import MIN_CONTRAST, Papers, behind, luminance, opposite


def papers(**values: object) -> Papers:
    return Papers(SynthSpec.model_validate(values))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A photo that is black on its left half and white on its right half, and one of noise."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    half = np.zeros((60, 200), np.uint8)
    half[:, 100:] = 255
    Image.fromarray(half).save(folder / "half.png")
    noise = np.random.default_rng(1).integers(0, 256, (300, 1500, 3), np.uint8)
    Image.fromarray(noise).save(folder / "deep" / "noise.jpg")
    (folder / "notes.txt").write_text("x")
    return folder


def contrast(kind: Papers, dark: bool, seed: int) -> float:
    image, ink = kind.draw(80, 20, dark, random.Random(seed))
    assert image.size == (80, 20)
    behind, front = luminance(np.asarray(image)), float(luminance(ink))
    return float(behind.min() - front if dark else front - behind.max())


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize(
    "values",
    [
        {"background": "gradient"},
        {"background": "gradient", "papers": ["#000000", "#ffffff"], "inks": ["#808080"]},
        {"papers": ["#ffffff", "#000000", "#777777"]},
        {"inks": ["#ff0000", "#ffffff", "#000000"]},
        {"background": "random", "inks": ["#00ff00"]},
        {"background": "textured", "inks": ["#0000ff"]},
    ],
)
def test_every_ink_can_be_read(values: dict[str, object], dark: bool):
    kind = papers(**values)
    assert min(contrast(kind, dark, seed) for seed in range(150)) >= MIN_CONTRAST


@pytest.mark.parametrize("dark", [True, False])
def test_every_ink_can_be_read_on_photos(photos: Path, dark: bool):
    kind = papers(background="photos", photos=str(photos))
    assert min(contrast(kind, dark, seed) for seed in range(80)) >= MIN_CONTRAST
    pictures = {kind.draw(80, 20, dark, random.Random(seed))[0].tobytes() for seed in range(30)}
    assert len(pictures) == 30


def test_colours_are_taken_as_given_where_they_can_be_read():
    image, ink = papers(papers=["#fafafa"], inks=["#1a2b80"]).draw(5, 4, True, random.Random(1))
    assert image.getcolors() == [(20, (250, 250, 250))]
    assert ink == (0x1A, 0x2B, 0x80)
    _, ink = papers(papers=["#fafafa"]).draw(5, 4, True, random.Random(1))
    assert ink == (0, 0, 0)


def test_a_gradient_runs_from_one_colour_to_the_other():
    kind = papers(background="gradient", papers=["#ff8080", "#ffffff"])
    for seed in range(20):
        image, _ = kind.draw(60, 20, True, random.Random(seed))
        green = np.asarray(image)[..., 1].astype(int)
        steps = np.abs(np.diff(green, axis=1)).max()
        assert steps <= 12  # no edges
        assert set(np.asarray(image)[..., 0].ravel()) == {255}


def test_white_paper_gives_no_warning():
    papers(papers=["#ffffff"], polarity="light", inks=["#ffffff"]).draw(5, 4, True, random.Random(1))


def test_opposite_and_behind():
    for seed in range(100):
        rng = random.Random(seed)
        ink = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
        assert abs(luminance(opposite(ink, rng)) - luminance(ink)) >= MIN_CONTRAST
    assert behind((200, 200, 200), dark=False) == (0, 0, 0)
    assert luminance(behind((20, 20, 20), dark=True)) >= 20 + MIN_CONTRAST


def test_photos_that_are_not_there_or_not_photos(tmp_path: Path, photos: Path):
    with pytest.raises(GlyphletError, match="nowhere does not exist"):
        papers(background="photos", photos=str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(GlyphletError, match="empty holds no image"):
        papers(background="photos", photos=str(tmp_path / "empty"))
    (tmp_path / "empty" / "x.png").write_bytes(b"nonsense")
    with pytest.raises(GlyphletError, match=r"the photo .*x\.png cannot be read"):
        papers(background="photos", photos=str(tmp_path / "empty")).draw(9, 9, True, random.Random(1))
