"""Where pixels go: moving least squares, perspective, the baseline, sizes and spaces within a line."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.effects.canvas import ground, ink, inked, warp
from glyphlet.effects.mls import deform, origins
from glyphlet.effects.within import gaps


def dot(x, y, height=41, width=121):
    line = np.full((1, height, width), 220, np.uint8)
    line[:, y - 1 : y + 2, x - 1 : x + 2] = 0
    return line


def centre(line):
    dark = 220.0 - line[0]
    y, x = np.indices(dark.shape)
    return (dark * x).sum() / dark.sum(), (dark * y).sum() / dark.sum()


def columns_with_ink(line):
    return np.flatnonzero(inked(ink(line)[0]).any(0))


POINTS = np.array([0, 60, 120, 0 + 40j, 60 + 40j, 120 + 40j, 60 + 20j])


class TestMovingLeastSquares:
    def test_points_that_do_not_move_move_nothing(self, line):
        x, y = origins(41, 121, POINTS, POINTS)
        assert (x == np.arange(121)).all()
        assert (y == np.arange(41)[:, None]).all()
        pixels = np.random.default_rng(0).integers(0, 256, (3, 41, 121), dtype=np.uint8)
        assert (warp(pixels, x, y) == pixels).all()

    @given(st.complex_numbers(max_magnitude=60), st.complex_numbers(min_magnitude=0.5, max_magnitude=2))
    def test_a_similarity_of_the_points_is_one_of_all_places(self, move, turn):
        places = np.array([5 + 3j, 77 + 31j, -4 + 50j])
        assert deform(places, POINTS, POINTS * turn + move) == pytest.approx(places * turn + move, abs=1e-6)

    def test_a_place_at_a_point_goes_where_the_point_goes(self):
        end = POINTS + np.array([3, -2j, 1 + 1j, 0, 4j, -3, 5 - 6j])
        assert deform(POINTS, POINTS, end) == pytest.approx(end, abs=1e-3)

    def test_by_hand(self):
        """Two points: 0 stays, 4 goes to 4 + 2i. Half-way, both weigh the same: turned by 0.5i, about (0 + 4 + 2i) / 2."""
        start, end = np.array([0j, 4]), np.array([0j, 4 + 2j])
        assert deform(np.array([2 + 2j]), start, end) == pytest.approx([2 + 1j + 2j * (1 + 0.5j)])

    def test_ink_at_a_point_goes_where_the_point_goes(self):
        start = np.array([0, 120, 32j, 120 + 32j, 60 + 20j])
        end = np.array([0, 120, 32j, 120 + 32j, 75 + 16j])  # nodes of the grid; between them moves are interpolated
        x, y = origins(33, 121, start, end)
        assert (x[16, 75], y[16, 75]) == pytest.approx((60, 20), abs=1e-3)
        assert (x[32, 120], y[32, 120]) == (120, 32)
        assert warp(dot(60, 20, height=33), x, y)[0, 16, 75] == 0


class TestTextImageAugmentation:
    def test_stretch_moves_nothing_up_or_down(self, built):
        for seed in range(20):
            y = centre(built("tia_stretch")(dot(60, 20), np.random.default_rng(seed)))[1]
            assert y == pytest.approx(20, abs=1.5)  # similarities bend a little between the points

    def test_perspective_by_hand(self, built):
        class Fixed:
            def random(self, shape):
                return np.array([[1.0, 0], [0, 0]])  # the upper left corner alone

        line = np.full((1, 41, 121), 220, np.uint8)
        line[:, 0:2] = 0  # ink along the top
        moved = built("tia_perspective", limit=0.5)(line, Fixed())[0]
        assert int(moved[:, 0].argmin()) == pytest.approx(20, abs=2)
        assert int(moved[:, 120].argmin()) == pytest.approx(1, abs=2)

    def test_distort_keeps_within_its_limit(self, built, line):
        pixels = line(width=320)
        for seed in range(20):
            new = built("tia_distort", limit=0.0)(pixels, np.random.default_rng(seed))
            rows = [np.flatnonzero(inked(ink(p)[0]).any(1)) for p in (pixels, new)]
            assert rows[1][0] == pytest.approx(rows[0][0], abs=4)
            assert rows[1][-1] == pytest.approx(rows[0][-1], abs=4)

    @pytest.mark.parametrize("name", ["tia_distort", "tia_stretch"])
    def test_lines_below_20_pixels_are_left_alone(self, name, built):
        pixels = np.random.default_rng(0).integers(0, 256, (1, 19, 100), dtype=np.uint8)
        assert (built(name)(pixels, np.random.default_rng(0)) == pixels).all()


class TestPerspective:
    def test_scale_0_changes_nothing(self, built):
        pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 100), dtype=np.uint8)
        assert (built("perspective", scale=0)(pixels, np.random.default_rng(0)) == pixels).all()

    def test_corners_move_inwards_so_that_ink_grows(self, built):
        square = np.full((1, 60, 60), 220, np.uint8)
        square[:, 20:40, 20:40] = 0
        before = (220 - square.astype(int)).sum()
        for seed in range(10):
            new = built("perspective", scale=0.1)(square, np.random.default_rng(seed))
            assert (220 - new.astype(int)).sum() > before


def test_digits_affine_keeps_ink_inside(built, line):
    pixels = line("0123456789", width=150)
    mass = (230 - pixels.astype(float)).sum()
    kept = [built("digits_affine")(pixels, np.random.default_rng(s)) for s in range(30)]
    assert min((230 - new.astype(float)).clip(0).sum() for new in kept) > 0.85 * mass
    lost = [built("digits_affine", keep=False, shift=0.5)(pixels, np.random.default_rng(s)) for s in range(30)]
    assert min((230 - new.astype(float)).clip(0).sum() for new in lost) < 0.7 * mass


class TestCurve:
    def test_no_amount_changes_nothing(self, built):
        pixels = dot(60, 20)
        assert (built("curve", amount=0)(pixels, np.random.default_rng(0)) == pixels).all()

    def test_ink_stays_inside(self, built, line):
        pixels = line(height=32, width=300)
        mass = (230 - pixels.astype(float)).sum()
        for seed in range(20):
            new = built("curve", amount=0.3)(pixels, np.random.default_rng(seed))
            marked = inked(ink(new)[0])
            assert marked[0].sum() + marked[-1].sum() <= 12
            assert (230 - new.astype(float)).clip(0).sum() > 0.4 * mass


class TestScaleWithin:
    def test_no_amount_changes_nothing(self, built, line):
        pixels = line(channels=3)
        assert (built("scale_within", across=0, down=0)(pixels, np.random.default_rng(3)) == pixels).all()

    def test_sizes_differ_along_the_line_and_ink_stays_inside(self, built):
        bars = np.full((1, 32, 300), 220, np.uint8)
        for x in range(10, 290, 20):
            bars[:, 6:26, x : x + 6] = 0
        differences = []
        for seed in range(12):
            marked = inked(ink(built("scale_within")(bars, np.random.default_rng(seed)))[0])
            widths = np.diff(np.flatnonzero(np.diff(marked.any(0).astype(int))))[::2]
            heights = marked.sum(0)[marked.any(0)]
            differences.append((widths.max() - widths.min(), heights.max() - heights.min()))
            assert len(widths) == 14
            assert not marked[0].any()
            assert not marked[-1].any()
        assert np.median(differences, axis=0)[0] >= 2
        assert np.median(differences, axis=0)[1] >= 3


class TestLetterSpacing:
    def gaps(self, line):
        present = columns_with_ink(line)
        steps = np.diff(present)
        return steps[steps > 1] - 1

    def bars(self, left=40):
        line = np.full((1, 32, 200), 220, np.uint8)
        for k in range(6):
            line[:, 8:24, left + 14 * k : left + 14 * k + 6] = 0
        return line

    @pytest.mark.parametrize("ink", ["dark", "light"])
    def test_gaps_widen_and_characters_do_not(self, built, ink):
        line = self.bars() if ink == "dark" else 255 - self.bars()
        new = built("letter_spacing", amount=0.25, vary=0)(line, FixedApart())
        assert self.gaps(new) == pytest.approx([16] * 5, abs=1)  # 8 columns, and a quarter of 32 rows
        widths = len(columns_with_ink(new)) / 6
        assert widths == pytest.approx(6, abs=0.5)

    def test_gaps_narrow_and_characters_do_not_shrink(self, built):
        new = built("letter_spacing", amount=-0.5, vary=0)(self.bars(), FixedApart())
        assert (self.gaps(new) < 8).all()
        assert len(columns_with_ink(new)) / 6 >= 5.9

    def test_ink_is_kept(self, built, line):
        pixels = line("letters apart", width=220)
        mass = (230 - pixels.astype(float)).sum()
        for seed in range(20):
            new = built("letter_spacing")(pixels, np.random.default_rng(seed))
            assert (230 - new.astype(float)).sum() == pytest.approx(mass, rel=0.3)

    def test_it_varies_along_the_line(self, built):
        spreads = []
        for seed in range(20):
            new = built("letter_spacing", amount=[0, 0.5], vary=1)(self.bars(), np.random.default_rng(seed))
            spreads.append(np.ptp(self.gaps(new)))
        assert np.median(spreads) >= 3

    def test_it_works_on_rough_ground(self, built, line):
        pixels = line("rough ground", width=260, rough=9)
        assert len(gaps(inked(ink(pixels)[0]).sum(0), 32)) >= 5
        new = built("letter_spacing", amount=0.3, vary=0)(pixels, np.random.default_rng(0))
        spread = [np.ptp(columns_with_ink(p)) for p in (pixels, new)]
        assert spread[1] > spread[0]

    def test_without_ink_nothing_happens(self, built):
        flat = np.full((1, 32, 100), 200, np.uint8)
        assert built("letter_spacing")(flat, np.random.default_rng(0)) is flat

    def test_gaps_by_hand(self):
        assert gaps(np.array([5, 0, 0, 5, 5, 0, 5]), 2) == [(1, 3), (5, 6)]
        touching = np.array([9] * 20 + [1] + [9] * 100)
        assert gaps(touching, 32) == [(20, 21)]


class FixedApart:
    """Every gap counts (nothing is too near), all draws at the lower end."""

    def uniform(self, low, high, size=None):
        return low if size is None else np.full(size, low)

    def random(self):
        return 0.5


def test_ground_ignores_ink_and_follows_the_light(line):
    even = line(channels=3)
    assert (np.abs(ground(even).astype(int) - even[:, :1, :1]) <= 2).all()
    lit = np.rint(even * np.linspace(0.5, 1, even.shape[2])).astype(np.uint8)
    found = ground(lit)[0].mean(0)
    assert found[10] == pytest.approx(0.5 * 230, abs=20)
    assert found[-10] == pytest.approx(230, abs=20)
    assert ink(even)[1]
    assert not ink(255 - even)[1]


def test_crop_by_hand(built):
    ramp = np.repeat(np.arange(0, 250, 5, dtype=np.uint8)[None, :, None], 40, 2)  # 50 rows
    expected = {side: cv2.resize(kept, (40, 50)) for side, kept in (("top", ramp[0, 4:]), ("bottom", ramp[0, :-4]))}
    for side, want in expected.items():
        assert (built("crop", pixels=4, sides=[side])(ramp, np.random.default_rng(0))[0] == want).all()


def test_jitter_moves_right_and_down(built):
    class Last:
        def random(self):
            return 0.99

    line = dot(60, 20)
    assert centre(built("jitter", share=0.1)(line, Last())) == pytest.approx((64, 24))
    assert built("jitter")(line, Last()) is line  # below 100 pixels
