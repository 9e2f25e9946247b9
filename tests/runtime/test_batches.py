"""Which lines are read together, and that it changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from glyphlet import Reader
from glyphlet.image import Line
from glyphlet.runtime import batches as batches_module
from glyphlet.runtime.batches import MOST_THREADS, Waiting, available_threads, batches, side_by_side

FONT = ImageFont.load_default(26)
WORDS = ("a", "No. 7", "Total 12.50", "Grüße", "x" * 30, "II", "Main Street 4-71", "", "0123456789")


def rendered(text, width):
    image = Image.new("L", (width, 40), 240)
    ImageDraw.Draw(image).text((6, 3), text, font=FONT, fill=30)
    return np.asarray(image)


@pytest.fixture(scope="module")
def reader():
    return Reader("print", threads=3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.integers(8, 700)), min_size=1, max_size=12),
    st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_the_same_text_alone_or_in_any_batch_in_any_order(reader, lines, batch, rng):
    images = [rendered(*line) for line in lines]
    alone = [reader.read_one(image) for image in images]
    order = list(range(len(images)))
    rng.shuffle(order)
    for number, reading in zip(order, reader.read([images[n] for n in order], batch=batch), strict=True):
        one = alone[number]
        assert (reading.text, reading.raw, bool(reading.reason)) == (one.text, one.raw, bool(one.reason))
        assert reading.confidence == pytest.approx(one.confidence, rel=1e-3, abs=1e-9)
        assert [(c.char, c.left, c.right) for c in reading.characters] == [
            (c.char, c.left, c.right) for c in one.characters
        ]


def waiting(widths):
    return [Waiting(n, "", Line(np.zeros((1, 4, width), np.uint8), width, width)) for n, width in enumerate(widths)]


@given(st.lists(st.sampled_from([8, 16, 24]), max_size=40), st.integers(1, 6))
def test_every_line_is_in_one_batch_of_its_width(widths, most):
    made = list(batches(waiting(widths), most))
    assert sorted(one.position for batch in made for one in batch) == list(range(len(widths)))
    for batch in made:
        assert 1 <= len(batch) <= most
        assert len({one.line.pixels.shape[2] for one in batch}) == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_side_by_side_gives_every_batch_once_and_in_order(threads, count):
    given_batches = [waiting([8] * (number % 3 + 1)) for number in range(count)]
    done = list(side_by_side(lambda batch: [f"of {len(batch)}"] * len(batch), iter(given_batches), threads))
    assert [batch for batch, _ in done] == given_batches
    assert all(read == [f"of {len(batch)}"] * len(batch) for batch, read in done)


def test_few_batches_are_held():
    pulled = 0

    def source():
        nonlocal pulled
        for _ in range(50):
            pulled += 1
            yield waiting([8])

    for number, _ in enumerate(side_by_side(lambda batch: [""], source(), 3)):
        assert pulled <= number + 1 + 2 * 3


def test_an_error_in_a_batch_is_raised():
    def fail(batch):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(side_by_side(fail, iter([waiting([8]), waiting([8]), waiting([8])]), 2))


def test_threads_that_are_there(monkeypatch):
    monkeypatch.setattr(batches_module.os, "sched_getaffinity", lambda process: set(range(3)), raising=False)
    assert available_threads() == 3
    monkeypatch.setattr(batches_module.os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    assert available_threads() == MOST_THREADS
    monkeypatch.delattr(batches_module.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(batches_module.os, "cpu_count", lambda: None)
    assert available_threads() == 1
