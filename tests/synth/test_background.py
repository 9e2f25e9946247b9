from __future__ import annotations

import random
import zlib

import numpy as np
import pytest

from glyphlet.synth.background import BLACK, MIN_CONTRAST, PLAIN, WHITE, luminance, paper


def test_luminance_by_hand():
    np.testing.assert_allclose(luminance((100, 50, 200)), 29.9 + 29.35 + 22.8, rtol=1e-6)
    assert luminance(np.zeros((3, 4, 3), np.uint8)).shape == (3, 4)


@pytest.mark.parametrize(("dark", "ink"), [(True, BLACK), (False, WHITE)])
def test_plain(dark: bool, ink: tuple[int, int, int]):
    image, colour = paper("plain", 7, 5, dark, random.Random(1))
    assert colour == ink
    assert image.getcolors() == [(35, PLAIN)]


@pytest.mark.parametrize("kind", ["plain", "random", "textured"])
@pytest.mark.parametrize("dark", [True, False])
def test_every_pixel_is_far_enough_from_the_ink(kind: str, dark: bool):
    for seed in range(300):
        image, ink = paper(kind, 60, 20, dark, random.Random(seed))  # type: ignore[arg-type]
        behind, front = luminance(np.asarray(image)), float(luminance(ink))
        gap = behind.min() - front if dark else front - behind.max()
        assert gap >= MIN_CONTRAST, seed


def test_random_is_one_colour_and_textured_is_many():
    one, _ = paper("random", 60, 20, True, random.Random(3))
    many, _ = paper("textured", 60, 20, True, random.Random(3))
    assert len(one.getcolors()) == 1
    assert one.size == many.size == (60, 20)
    assert len(many.getcolors(1200)) > 20


def test_backgrounds_and_inks_differ_from_line_to_line():
    drawn = [paper("random", 1, 1, True, random.Random(seed)) for seed in range(50)]
    assert len({image.getpixel((0, 0)) for image, _ in drawn}) > 45
    assert len({ink for _, ink in drawn}) > 25


@pytest.mark.parametrize("size", [(1, 8), (8, 8), (2000, 12), (9, 300)])
def test_any_size(size: tuple[int, int]):
    for seed in range(20):
        assert paper("textured", *size, True, random.Random(seed))[0].size == size


def test_a_texture_is_the_same_on_every_machine():
    sums = [zlib.crc32(paper("textured", 120, 30, True, random.Random(seed))[0].tobytes()) for seed in range(8)]
    assert sums == [3884709471, 1370037724, 1247307572, 104690518, 3256216208, 2902088055, 1323834318, 554309556]
