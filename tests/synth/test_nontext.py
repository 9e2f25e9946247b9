"""Images without text."""

import numpy as np
import pytest

from glyphlet.synth.nontext import HEIGHTS, MAKERS, not_text


def test_all_kinds_in_turn_within_the_sizes():
    made = not_text(44, seed=3)
    assert len(made) == 44 == 4 * len(MAKERS)
    for image in made:
        assert image.dtype == np.uint8
        assert image.ndim == 2
        assert HEIGHTS[0] <= image.shape[0] < HEIGHTS[1]
        assert image.shape[1] >= 8
    assert all(len(np.unique(image)) == 1 for image in made[:: len(MAKERS)])  # blank paper comes first


def test_equal_seeds_equal_images():
    again = zip(not_text(22, 1), not_text(22, 1), not_text(22, 2), strict=True)
    assert all(np.array_equal(a, b) and not np.array_equal(a, c) for a, b, c in again)


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_no_two_of_a_kind_are_equal(kind):
    rng = np.random.default_rng(0)
    one, two = (np.clip(MAKERS[kind](40, 200, rng), 0, 255).astype(np.uint8) for _ in range(2))
    assert one.shape == two.shape == (40, 200)
    assert not np.array_equal(one, two)


def test_clouds_are_rough_at_every_scale():
    pixels = MAKERS["clouds"](64, 256, np.random.default_rng(1))
    near = np.abs(np.diff(pixels, axis=1)).mean()
    far = np.abs(pixels[:, 64:] - pixels[:, :-64]).mean()
    assert 0 < near < far
