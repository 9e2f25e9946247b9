"""Values: tables, blurs, noise, compression."""

import cv2
import numpy as np
import pytest

from glyphlet.effects.blur import _disc, _streak
from glyphlet.effects.light import _turned


def ramp(channels=1):
    return np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 8, 32), channels, 0)


def rng(seed=0):
    return np.random.default_rng(seed)


class TestTables:
    def test_invert_twice_is_nothing(self, built):
        assert (built("invert")(ramp(), rng()) == 255 - ramp()).all()
        assert (built("invert")(built("invert")(ramp(), rng()), rng()) == ramp()).all()

    def test_add_is_exact_and_clips(self, built):
        assert (built("add", value=37)(ramp(3), rng()) == (ramp(3).astype(int) + 37).clip(0, 255)).all()
        assert (built("add", value=-37)(ramp(), rng()) == (ramp().astype(int) - 37).clip(0, 255)).all()

    def test_add_per_channel(self, built):
        apart = built("add", per_channel=1)(np.full((3, 8, 8), 100, np.uint8), rng())
        assert len({int(plane[0, 0]) for plane in apart}) == 3
        together = built("add", per_channel=0)(np.full((3, 8, 8), 100, np.uint8), rng())
        assert len({int(plane[0, 0]) for plane in together}) == 1

    def test_grey_lines_get_the_grey_of_three_channels(self, built):
        """Per channel, the sum of three evenly drawn numbers with the weights of grey: its spread is smaller."""
        grey = np.full((1, 1, 1), 100, np.uint8)
        drawn = [int(built("add", value=[0, 100], per_channel=1)(grey, rng(s))[0, 0, 0]) - 100 for s in range(1500)]
        assert np.mean(drawn) == pytest.approx(50, abs=2)
        spread = 100 / 12**0.5 * np.sqrt(0.299**2 + 0.587**2 + 0.114**2)
        assert np.std(drawn) == pytest.approx(spread, rel=0.06)

    def test_multiply(self, built):
        assert (built("multiply", factor=1.5)(ramp(), rng()) == np.rint(np.minimum(ramp() * 1.5, 255))).all()

    def test_gamma_by_hand(self, built):
        assert built("gamma", gamma=2)(np.full((1, 8, 8), 51, np.uint8), rng())[0, 0, 0] == 10  # 255 * 0.2^2

    @pytest.mark.parametrize("space", ["lab", "hsv"])
    def test_brightness_of_grey_is_that_of_rgb(self, built, space):
        effect = built("brightness", value=25, spaces=[space])
        grey, rgb = effect(ramp(), rng()), effect(ramp(3), rng())
        assert (np.abs(rgb.astype(int) - grey) <= 1).all()
        if space == "hsv":
            assert (grey == (ramp().astype(int) + 25).clip(0, 255)).all()

    def test_brightness_keeps_the_hue(self, built):
        red = np.zeros((3, 8, 8), np.uint8)
        red[0] = 100
        new = built("brightness", value=50, spaces=["hsv"])(red, rng())
        assert new[:, 0, 0].tolist() == [150, 0, 0]

    def test_contrast_stays_above_its_least(self, built, line):
        for seed in range(30):
            new = built("contrast", factor=0.1, least=60)(line(), rng(seed))
            low, high = np.percentile(new, (2, 98))
            assert 58 <= high - low <= 62

    def test_contrast_of_a_faint_line_is_not_lowered(self, built, line):
        new = built("contrast", factor=0.1, least=60)(line(paper=120, ink=90), rng())
        assert np.ptp(new) == 30

    def test_colour_jitter_keeps_greys_grey(self, built):
        assert _turned(1.3, 0.7) @ [9, 9, 9] == pytest.approx([9, 9, 9], abs=0.01)
        new = built("colour_jitter", brightness=0, contrast=0)(ramp(3), rng())
        assert (np.abs(new.astype(int) - ramp(3)) <= 1).all()
        assert _turned(1, 0) == pytest.approx(np.eye(3), abs=1e-9)


class TestBlurs:
    @pytest.mark.parametrize("name", ["average_blur", "gaussian_blur", "motion_blur", "defocus", "low_resolution"])
    def test_one_colour_stays(self, name, built):
        flat = np.full((3, 20, 50), 77, np.uint8)
        for seed in range(8):
            assert (built(name)(flat, rng(seed)) == 77).all()

    def test_average_blur_by_hand(self, built):
        line = np.zeros((1, 9, 9), np.uint8)
        line[0, 4, 4] = 90
        new = built("average_blur", size=1, across=3)(line, rng())[0]
        assert new[4].tolist() == [0, 0, 0, 30, 30, 30, 0, 0, 0]
        assert new.sum() == 90

    def test_gaussian_blur_5x5(self, built, line):
        pixels = line(channels=3)
        expected = [cv2.GaussianBlur(p, (5, 5), 1) for p in pixels]
        assert (built("gaussian_blur", sigma=1, size=5)(pixels, rng()) == expected).all()

    @pytest.mark.parametrize(("length", "angle"), [(1.0, 0), (3.0, 0), (5.0, 90), (4.25, 30), (7.0, -135)])
    def test_a_streak_has_its_length_and_direction(self, length, angle):
        kernel = _streak(length, angle)
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        at = np.arange(len(kernel)) - len(kernel) // 2
        x, y = (kernel * at).sum(), (kernel.T * at).sum()
        assert (x, y) == pytest.approx((0, 0), abs=0.01)
        if angle == 90:
            assert kernel[:, [0, 1, -2, -1]].sum() == pytest.approx(0, abs=1e-5)
            assert (kernel.sum(1) > 0).sum() >= 5

    def test_a_disc_has_its_area(self):
        for radius in (0.6, 1.0, 2.5):
            disc = _disc(radius)
            assert disc.sum() == pytest.approx(1, abs=1e-5)
            assert 1 / disc.max() == pytest.approx(np.pi * (radius + 0.05) ** 2, rel=0.4)
        assert _disc(0.0).tolist() == [[1]]

    def test_low_resolution_loses_detail(self, built):
        stripes = np.zeros((1, 32, 100), np.uint8)
        stripes[:, :, ::2] = 255
        assert np.ptp(built("low_resolution", factor=2)(stripes, rng())[0, :, 10:-10].astype(int)) < 60


class TestJpeg:
    def test_quality_is_handed_on(self, built, line):
        pixels = line(rough=20)
        _, data = cv2.imencode(".jpg", pixels[0], [cv2.IMWRITE_JPEG_QUALITY, 30])
        assert (built("jpeg", quality=30)(pixels, rng())[0] == cv2.imdecode(data, 0)).all()

    def test_lower_is_worse(self, built, line):
        pixels = line(channels=3, rough=20)
        errors = [np.abs(built("jpeg", quality=q)(pixels, rng()).astype(int) - pixels).mean() for q in (95, 60, 10)]
        assert errors == sorted(errors)
        assert errors[0] < 6

    def test_colours_keep_their_order(self, built):
        red = np.zeros((3, 16, 16), np.uint8)
        red[0] = 200
        assert built("jpeg", quality=95)(red, rng())[:, 8, 8].tolist() == pytest.approx([200, 0, 0], abs=4)

    def test_the_quality_of_imgaugs_compression(self):
        from glyphlet.effects.presets import crnn_imgaug_parts

        (jpeg,) = [p for p in crnn_imgaug_parts()[0]["effects"][0]["effects"] if p["name"] == "jpeg"]
        assert jpeg["quality"] == [round(1 + 99 * (1 - c / 101)) for c in (30, 10)]


class TestNoise:
    def test_gaussian(self, built):
        flat = np.full((1, 100, 200), 128, np.uint8)
        noise = built("gaussian_noise", sigma=10, mean=-5)(flat, rng()).astype(float) - 128
        assert noise.mean() == pytest.approx(-5, abs=0.3)
        assert noise.std() == pytest.approx(10, abs=0.3)

    def test_absolute_is_the_pretraining_on_mnist(self, built):
        new = built("gaussian_noise", sigma=30, mean=80, absolute=True)(np.zeros((1, 100, 200), np.uint8), rng())
        assert new.mean() == pytest.approx(80, abs=1)
        assert built("gaussian_noise", sigma=30, absolute=True)(
            np.zeros((1, 99, 99), np.uint8), rng()
        ).mean() == pytest.approx(30 * (2 / np.pi) ** 0.5, abs=0.6)

    @pytest.mark.parametrize(("share", "planes"), [(0, 1), (1, 3)])
    def test_per_channel(self, built, share, planes):
        new = built("gaussian_noise", sigma=9, per_channel=share)(np.full((3, 20, 20), 99, np.uint8), rng())
        assert len({plane.tobytes() for plane in new}) == planes

    def test_elementwise_draws_every_number_and_no_other(self, built):
        new = built("add_elementwise")(np.full((3, 60, 60), 100, np.uint8), rng())
        assert set(np.unique(new)) == set(range(80, 96))
        assert (new[0] == new[2]).all()

    def test_salt_and_pepper(self, built):
        new = built("salt_and_pepper", share=0.1)(np.full((3, 100, 200), 99, np.uint8), rng())
        assert (new == 0).mean() == pytest.approx(0.05, abs=0.005)
        assert (new == 255).mean() == pytest.approx(0.05, abs=0.005)

    def test_speckle_is_proportional(self, built):
        line = np.full((1, 100, 200), 40, np.uint8)
        line[:, :, 100:] = 160
        new = built("speckle", sigma=0.1)(line, rng()).astype(float)
        assert new[..., :100].std() == pytest.approx(4, abs=0.3)
        assert new[..., 100:].std() == pytest.approx(16, abs=0.6)


def test_illumination_and_shadow_only_take_light_away_in_part(built):
    flat = np.full((1, 32, 200), 200, np.uint8)
    for seed in range(20):
        lit = built("illumination", depth=0.5)(flat, rng(seed))[0].astype(int)
        assert lit.min() == pytest.approx(lit.max() * 0.5, abs=12)
        shaded = built("shadow", depth=0.4)(flat, rng(seed))[0]
        assert shaded.min() >= 119
        assert shaded.max() <= 200


def test_stroke_thickens_and_thins_whichever_the_ink(built, line):
    mass = (230 - line().astype(int)).sum()
    for pixels, sign in ((line(), 1), (255 - line(), -1)):
        ground = 230 if sign == 1 else 25
        thick, thin = (built("stroke", amount=a)(pixels, rng()).astype(int) for a in (0.7, -0.5))
        assert sign * (ground - thick).sum() > 1.2 * mass
        assert sign * (ground - thin).sum() < 0.9 * mass
    assert (built("stroke", amount=0)(line(), rng()) == line()).all()
