"""What every effect of the registry keeps to, and that the page about them is complete."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlet.effects import EFFECTS, apply, build_effects
from glyphlet.errors import RecipeError
from support import part

OPTIONS = {"one_of": {"effects": ["invert", "jpeg"]}, "some_of": {"effects": ["invert", "jpeg"]}}
"""Effects that need some."""
NAMES = sorted(EFFECTS)


def default(name):
    return build_effects([part(name, **OPTIONS.get(name, {}))])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_shape_type_and_determinism(name, channels, line):
    before = line(channels=channels, rough=4)
    pixels, effects = before.copy(), default(name)
    for seed in range(12):
        first, again = (apply(effects, pixels, np.random.default_rng(seed)) for _ in range(2))
        assert first.shape == pixels.shape
        assert first.dtype == np.uint8
        assert first.flags.c_contiguous
        assert (first == again).all()
        assert (pixels == before).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([1, 3]),
    st.integers(1, 40),
    st.integers(1, 90),
    st.integers(0, 99),
    st.sampled_from(["noise", "flat"]),
)
def test_every_size_works_down_to_a_pixel(name, channels, height, width, seed, kind):
    pixels = np.random.default_rng(seed).integers(0, 256, (channels, height, width), dtype=np.uint8)
    if kind == "flat":
        pixels[:] = seed
    kept = pixels.copy()
    new = apply(default(name), pixels, np.random.default_rng(seed))
    assert (new.shape, new.dtype) == (pixels.shape, np.uint8)
    assert (pixels == kept).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_line_that_is_not_contiguous_gives_the_same(name, line):
    pixels = line(channels=3)
    turned = np.asfortranarray(pixels)
    assert (
        apply(default(name), pixels, np.random.default_rng(2)) == apply(default(name), turned, np.random.default_rng(2))
    ).all()


RARELY = {"jitter", "sequence"}
"""Effects that leave a line of 32 rows as it is by their defaults."""


@pytest.mark.parametrize("name", [name for name in NAMES if name not in RARELY])
def test_it_does_something(name, line):
    pixels = line(channels=3, rough=2)
    assert any((apply(default(name), pixels, np.random.default_rng(seed)) != pixels).any() for seed in range(12))


@pytest.mark.parametrize("name", NAMES)
def test_an_even_ground_stays_even(name):
    """No effect invents black corners: on an even ground, what moves only leaves it alone."""
    moves = {
        "affine", "digits_affine", "perspective", "tia_distort", "tia_stretch", "tia_perspective", "scale_within",
        "letter_spacing", "curve", "crop", "shift", "jitter", "stroke", "background", "average_blur", "gaussian_blur",
        "motion_blur", "defocus", "low_resolution",
    }  # fmt: skip
    if name in moves:
        flat = np.full((3, 32, 120), 217, np.uint8)
        for seed in range(6):
            assert (apply(default(name), flat, np.random.default_rng(seed)) == 217).all()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("gaussian_blur", {"sigma": [2, 1]}, r"gaussian_blur has sigma \[2, 1\]. Allowed: a number, or two"),
        ("gaussian_blur", {"sigma": "x"}, "gaussian_blur has sigma 'x'"),
        ("gaussian_blur", {"sigma": [1, 2, 3]}, "sigma"),
        ("gaussian_blur", {"sigma": True}, "sigma True"),
        ("gaussian_blur", {"sigma": float("nan")}, "sigma nan"),
        ("gaussian_blur", {"sigmas": 1}, r"no option 'sigmas' \(did you mean 'sigma'"),
        ("jpeg", {"quality": [10.5, 20]}, "a whole number"),
        ("jpeg", {"quality": 101}, "jpeg has quality 101"),
        ("brightness", {"spaces": ["lab", "cmyk"]}, "one or more of: lab, hsv"),
        ("brightness", {"spaces": []}, "brightness has spaces"),
        ("background", {"kinds": ["lava"]}, "gradient, blobs"),
        ("background", {"folder": "/no/such/folder"}, "a folder with .bmp"),
        ("one_of", {}, "one effect or more"),
        ("one_of", {"effects": "invert"}, "a list of effects"),
        ("one_of", {"effects": [3]}, "one_of has 3 among its effects"),
        ("one_of", {"effects": ["invrt"]}, r"no effect named 'invrt' \(did you mean 'invert'"),
        ("one_of", {"effects": ["invert"], "weights": [1, 2]}, "1 numbers"),
        ("one_of", {"effects": ["invert"], "weights": [0]}, "not all 0"),
        ("some_of", {"effects": ["invert"], "count": 2}, "some_of has count 2"),
        ("sequence", {"effects": [{"name": "jpeg", "p": 2}]}, "jpeg has p 2"),
        ("robust", {"strength": 0}, "leave the effect out"),
        ("recaug", {"each": 1.5}, "recaug has each 1.5"),
        ("invert", {"p": "often"}, "invert has p 'often'"),
    ],
)
def test_bad_options_are_refused(name, options, message):
    with pytest.raises(RecipeError, match=message):
        build_effects([part(name, **options)])


def test_a_number_stands_for_a_range_of_one_value(built, line):
    pixels = line()
    alike = [built("gaussian_blur", sigma=s)(pixels, np.random.default_rng(0)) for s in (1, 1.0, [1, 1], (1.0, 1))]
    assert all((other == alike[0]).all() for other in alike)


def test_the_module_list_in_the_page_of_contents_is_complete():
    import glyphlet.effects

    folder = Path(glyphlet.effects.__file__).parent
    named = set(re.findall(r"^    ([a-z ]+?)   ", glyphlet.effects.__doc__, re.MULTILINE))
    words = {word for line in named for word in line.split()}
    assert {p.stem for p in folder.glob("*.py")} - {"__init__"} == words
