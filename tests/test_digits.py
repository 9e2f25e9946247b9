"""The recipe `digits-numbers`: its lines from fonts and from images of digits, and the way from them to real lines."""

import re

import numpy as np
import pytest
from rich.console import Console

from glyphlet.charset import Charset
from glyphlet.job import run
from glyphlet.models.recognizer import build
from glyphlet.spec import SynthSpec, load_recipe
from glyphlet.synth.dataset import write_set
from glyphlet.synth.render import RenderedSet
from glyphlet.train.checkpoint import BEST, load_checkpoint

QUICK = ("train.threads=1", "train.accelerator=cpu", "train.workers=0", "train.samples=0", "train.epochs=1")


@pytest.fixture
def digits(tmp_path):
    """An .npz as MNIST's: white bars on black; a digit d is d + 4 pixels wide."""
    x = np.zeros((20, 28, 28), np.uint8)
    for number in range(20):
        x[number, 4:24, 6 : 10 + number % 10] = 255
    y = np.arange(20) % 10
    np.savez(tmp_path / "digits.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    return tmp_path / "digits.npz"


def test_the_texts_are_numbers_of_1_to_10_characters():
    recipe = load_recipe("digits-numbers")
    lines = RenderedSet(recipe.data.train, recipe.charset.resolve([]), "train")
    texts = [lines.text(number) for number in range(1000)]
    assert all(re.fullmatch(r"[0-9]{1,10}|[0-9]{1,2}[., /-][0-9]{1,2}|[0-9]{1,2}\.", text) for text in texts)
    assert {len(text) for text in texts} == set(range(1, 11))
    assert set("".join(texts)) == set(recipe.charset.resolve([]).characters)
    shares = np.bincount([len(text) for text in texts], minlength=11) / 1000
    assert shares[1:5].sum() > 0.8  # as real ones, most are short


def test_ink_is_darker_than_paper_whatever_the_letters_are_from(digits):
    for settings in ((), (f"data.train.glyphs={digits}",)):
        recipe = load_recipe("digits-numbers", settings)
        for number, line in zip(
            range(20), RenderedSet(recipe.data.train, recipe.charset.resolve([]), "train"), strict=False
        ):
            grey = np.asarray(line.image.convert("L"), float)
            edge = np.median(np.concatenate([grey[0], grey[-1]]))
            assert edge - grey.min() > 60, (settings, number)


def test_narrow_digits_have_time_steps_enough():
    """A line is stretched to twice its width: 2 pixels at a height of 32 for each step, so that `11` has 2 and a blank."""
    recipe = load_recipe("digits-numbers")
    model = build(recipe.model, recipe.image, recipe.charset.resolve([]))
    assert recipe.image.scaled_width(20, 40) == 32
    assert model.steps(recipe.image.padded_width(32)) == 8


def test_from_strings_to_real_lines(digits, tmp_path):
    """The start's weights are taken, all characters are kept, and the model file says so."""
    quiet = Console(quiet=True)
    first = load_recipe("digits-numbers", [*QUICK, f"data.train.glyphs={digits}", "data.train.count=64"])
    start = run(first, tmp_path / "runs", quiet)
    labels = write_set(
        SynthSpec(count=40, min_length=1, max_length=3), Charset.named("digits"), tmp_path / "real", "train"
    )
    second = load_recipe(
        "digits-numbers", [*QUICK, f"data.train=[{labels}]", "data.validation_share=0.25", f"start.path={start.folder}"]
    )
    job = run(second, tmp_path / "runs", quiet)
    state = load_checkpoint(job.folder / "checkpoints" / BEST)
    assert state["charset"]["text"] == "0123456789 .,-/"
    assert job.outcome.steps == 2  # 30 lines in batches of 16
    before = load_checkpoint(start.folder / "checkpoints" / BEST)["model"]
    fresh = build(second.model, second.image, second.charset.resolve([])).state_dict()
    name = "head.linear.weight"
    near, far = ((state["model"][name] - other[name]).abs().mean() for other in (before, fresh))
    assert near < 0.2 * far
