"""Near-duplicates: copies that were saved again, moved, brightened or scaled are found; other lines are not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet.data.auditing.nearduplicates import LIKELY, SAME, SAME_AGAINST_LABEL, Index, agreement, small
from glyphlet.data.open import open_lines
from glyphlet.image import decode
from support import SHARED


def line(text: str, seed: int = 0, size: int = 22) -> np.ndarray:
    """A rendered line on noisy paper."""
    font = ImageFont.load_default(size)
    image = Image.new("L", (round(font.getlength(text)) + 12, 36), 225)
    ImageDraw.Draw(image).text((6, 4), text, fill=40, font=font)
    noise = np.random.default_rng(seed).normal(0, 6, (image.height, image.width))
    return (np.asarray(image) + noise).clip(0, 255).astype(np.uint8)


def jpeg(grey: np.ndarray, quality: int = 50) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def scaled(grey: np.ndarray, factor: float = 0.8) -> np.ndarray:
    height, width = grey.shape
    return np.asarray(Image.fromarray(grey).resize((max(1, round(width * factor)), max(1, round(height * factor)))))


CHANGES = {
    "jpeg": jpeg,
    "right": lambda g: np.pad(g, ((0, 0), (1, 0)), mode="edge")[:, :-1],
    "down": lambda g: np.pad(g, ((1, 0), (0, 0)), mode="edge")[:-1],
    "brighter": lambda g: (g.astype(int) + 10).clip(0, 255).astype(np.uint8),
    "darker": lambda g: (g.astype(int) - 10).clip(0, 255).astype(np.uint8),
    "smaller": scaled,
    "cropped": lambda g: g[1:, 1:],
}


def found(images, texts, others, other_texts) -> set[tuple[int, int]]:
    """Pairs of line and test line."""
    index = Index([small(g) for g in others], other_texts, range(len(others)))
    return {(i, j) for i, j, _ in index.near([(small(g), t) for g, t in zip(images, texts, strict=True)])}


def test_an_image_agrees_with_itself():
    thumbnail = small(line("Total 12.50")).thumbnail
    assert agreement(thumbnail, thumbnail) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(small(line("Total 12.50")).sketch) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_copy_is_found(name):
    texts = ["Total 12.50", "CASH", "7", "A considerably longer line of print, 1234"]
    originals = [line(t, i) for i, t in enumerate(texts)]
    copies = [CHANGES[name](g) for g in originals]
    assert found(copies, texts, originals, texts) == {(i, i) for i in range(len(texts))}


def test_a_line_that_differs_in_one_character_is_another_line():
    texts = ["Total 12.50", "AB 1234 CD", "considerable"]
    others = ["Total 12.80", "AB 1734 CD", "considerably"]
    for a, b in zip(texts, others, strict=True):
        assert agreement(small(line(a)).thumbnail, small(line(b)).thumbnail) < SAME
    assert found([line(t) for t in others], others, [line(t) for t in texts], texts) == set()


def test_a_copy_with_another_label_is_found_when_it_is_near_enough():
    assert found([jpeg(line("Total 12.50"), 80)], ["Total 1250"], [line("Total 12.50")], ["Total 12.50"]) == {(0, 0)}
    assert LIKELY < SAME < SAME_AGAINST_LABEL


def test_blank_and_unreadable_images_are_like_nothing():
    paper = np.random.default_rng(0).normal(230, 1, (32, 120)).clip(0, 255).astype(np.uint8)
    assert not small(np.full((32, 120), 255, np.uint8)).sketch.any()
    assert found([np.full((32, 120), 255, np.uint8), paper], ["", ""], [paper, paper], ["", ""]) <= {(1, 0), (1, 1)}
    assert list(Index([None, None], ["a", "b"], [0, 1]).near([(small(line("a")), "a")])) == []
    assert list(Index([], [], []).near([(small(line("a")), "a")])) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 3), (8, 2000), (40, 7)])
def test_any_shape_can_be_compared(shape):
    grey = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    thumbnail = small(grey).thumbnail
    assert agreement(thumbnail, thumbnail) == pytest.approx(1, abs=1e-4)


def test_the_numbers_of_test_lines_are_those_given():
    index = Index([None, small(line("abc"))], ["x", "abc"], [30, 70])
    assert [(i, j) for i, j, _ in index.near([(small(jpeg(line("abc"))), "abc")])] == [(0, 70)]


@pytest.mark.skipif(not SHARED.is_dir(), reason="real lines lie beside the developers' checkouts only")
def test_changed_copies_of_real_lines_are_found():
    lines = open_lines(SHARED / "sroie_lines" / "test.txt")
    chosen = range(0, len(lines), 10)
    greys = [decode(lines[i].source, 1)[:, :, 0] for i in chosen]
    texts = [lines.text(i) for i in chosen]
    index = Index([small(g) for g in greys], texts, range(len(greys)))
    for name, change in CHANGES.items():
        near = {i for i, _, _ in index.near([(small(change(g)), t) for g, t in zip(greys, texts, strict=True)])}
        assert len(near) >= 0.96 * len(greys), name
