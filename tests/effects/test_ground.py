"""New grounds behind text, and what else is on the paper."""

import numpy as np
import pytest
from PIL import Image

from glyphlet.effects.background import transmission
from glyphlet.effects.canvas import ink, inked, luma, rows_of
from glyphlet.effects.textures import TEXTURES


def contrast_of(original, new):
    """Grey levels between where the original has ink and the ground beside it, signed: above 0 for dark ink."""
    grey = luma(new).astype(float)
    strength = ink(original)[0]
    sure, free = strength > 0.8 * strength.max(), strength < 0.05 * strength.max()
    return np.median(grey[free]) - np.median(grey[sure])


@pytest.mark.parametrize("name", TEXTURES)
def test_textures_run_from_0_to_1(name):
    for height, width in ((32, 200), (1, 1), (3, 50), (64, 7)):
        field = TEXTURES[name](height, width, np.random.default_rng(3))
        assert field.shape == (height, width)
        assert field.dtype == np.float32
        assert 0 <= field.min() <= field.max() <= 1.0001
    assert np.ptp(TEXTURES[name](32, 200, np.random.default_rng(3))) > 0.9


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("faint", [False, True])
def test_the_ink_stays_legible_whatever_its_colour(built, line, channels, dark, faint):
    pixels = line(channels=channels, width=200, **({"paper": 190, "ink": 120} if faint else {}))
    pixels = pixels if dark else 255 - pixels
    for seed in range(40):
        new = built("background")(pixels, np.random.default_rng(seed))
        assert (1 if dark else -1) * contrast_of(pixels, new) > 38


def test_contrast_is_the_one_asked_for(built, line):
    found = [contrast_of(line(), built("background", contrast=100, kinds=["gradient"], busy=0)(line(), np.random.default_rng(s)))
             for s in range(5)]  # fmt: skip
    assert found == pytest.approx([100] * 5, abs=8)


def test_transmission_by_hand():
    line = np.full((1, 32, 100), 200, np.uint8)
    line[:, 10:20, 40:50] = 50
    share, through, dark = transmission(line)
    assert dark
    assert through == pytest.approx(0.25, abs=0.01)
    assert share[0, 15, 45] == pytest.approx(0.25, abs=0.01)
    assert share[0, 3, 3] == pytest.approx(1)
    share, through, dark = transmission(255 - line)
    assert not dark
    assert through == pytest.approx(0.25, abs=0.01)


def test_black_on_a_pure_colour_stays_black(built, line):
    """Red and blue say nothing of black ink on green; it must not take their colours."""
    pixels = np.zeros((3, 32, 160), np.uint8)
    pixels[1] = line(paper=200, ink=0)[0]
    for seed in range(20):
        new = built("background", contrast=200, kinds=["blobs"])(pixels, np.random.default_rng(seed))
        assert new[:, pixels[1] < 5].mean() < 40


def test_photos_of_a_folder(built, line, tmp_path):
    (tmp_path / "deep").mkdir()
    Image.effect_noise((900, 300), 80).convert("RGB").save(tmp_path / "deep" / "a.png")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    pixels = line(channels=3)
    new = [built("background", folder=str(tmp_path))(pixels, np.random.default_rng(s)) for s in range(6)]
    assert all(contrast_of(pixels, n) > 38 for n in new)
    assert len({n.tobytes() for n in new}) == 6


def test_ruled_lines_never_lighten_dark_ink(built, line):
    pixels = line(channels=3)
    for seed in range(20):
        new = built("ruled_lines", boxes=1)(pixels, np.random.default_rng(seed))
        assert (new.astype(int) <= pixels.astype(int) + 42).all()  # the tint of a line may lighten one channel
        marked = inked(ink(pixels)[0]) > 0
        assert (luma(new)[marked].astype(int) <= luma(pixels)[marked] + 2).all()


def test_upright_strokes_stand_in_gaps_only(built):
    bars = np.full((1, 32, 200), 220, np.uint8)
    for x in range(20, 180, 20):
        bars[:, 8:20, x : x + 8] = 30
    for seed in range(20):
        new = built("ruled_lines", strength=0.5, boxes=1)(bars, np.random.default_rng(seed))
        assert (new[:, 8:20][bars[:, 8:20] == 30] == 30).all()


def test_stains_leave_most_of_the_line_alone(built, line):
    pixels = line(width=300)
    for seed in range(20):
        new = built("stains")(pixels, np.random.default_rng(seed))
        assert (np.abs(new.astype(int) - pixels) > 60).mean() < 0.08


def test_faded_ink_goes_to_the_ground_in_places_only(built, line):
    pixels = line(width=300)
    marked = pixels < 60
    changes = []
    for seed in range(20):
        new = built("faded", strength=0.8)(pixels, np.random.default_rng(seed)).astype(int)
        assert (new >= pixels - 8).all()  # dark ink becomes no darker
        assert np.abs(new - pixels)[pixels > 222].max() <= 12  # paper stays
        changes.append((new[marked] - 30 > 40).mean())
    assert 0.05 < np.mean(changes) < 0.6
    assert max(changes) < 1


def test_a_raster_lets_the_paper_through_at_its_pitch(built):
    block = np.full((1, 64, 200), 220, np.uint8)
    block[:, 20:44, 90:94] = 20  # an upright stroke
    new = built("raster", pitch=0.125, strength=0.8, rows_only=1)(block, np.random.default_rng(0)).astype(int)
    stroke = new[0, 20:44, 91]
    assert stroke.max() - stroke.min() > 120
    assert stroke[:16].tolist() == pytest.approx(stroke[8:].tolist(), abs=3)  # 64 * 0.125 is 8 rows
    assert np.abs(new[0][block[0] == 220] - 220).max() <= 12
    assert (built("raster", strength=0)(block, np.random.default_rng(0)) == block).all()


def test_neighbours_come_from_above_or_below_and_leave_the_text_alone(built, line):
    pixels = line(width=300)
    first, last = rows_of(ink(pixels)[0])
    sides = set()
    for seed in range(30):
        new = built("neighbours", inside=0.1, both=0)(pixels, np.random.default_rng(seed))
        assert (new <= pixels).all()
        changed = np.flatnonzero((new != pixels).any(axis=(0, 2)))
        assert len(changed)
        assert (changed < 32 * 0.1 + 1).all() or (changed >= 32 - 32 * 0.1 - 1).all()
        sides.add(bool(changed[0] < 16))
        middle = slice(first + (last - first) // 3, last - (last - first) // 3)
        assert (new[:, middle] == pixels[:, middle]).all()
    assert sides == {True, False}
    both = built("neighbours", inside=0.1, both=1)(pixels, np.random.default_rng(0)) != pixels
    assert both[:, :16].any()
    assert both[:, 16:].any()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("height", [1, 5])
def test_a_line_of_one_column_keeps_its_shape_when_its_faint_ink_is_written_over(built, channels, height):
    for seed in range(60):
        random = np.random.default_rng(seed)
        pixels = random.integers(0, 256, (channels, height, 1), dtype=np.uint8)
        assert built("background")(pixels, random).shape == pixels.shape
