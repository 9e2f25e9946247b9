import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decode.bruteforce import softmax
from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.decode.align import align

CODEC = CTCCodec(Charset.from_text("ab"))


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_path_is_the_most_probable_one_of_its_text(steps, seed):
    posteriors = softmax(np.random.default_rng(seed).normal(size=(steps, 3)) * 3)
    best = {}
    for path in itertools.product(range(3), repeat=steps):
        p = np.prod(posteriors[np.arange(steps), path])
        text = CODEC.decode(path)
        if p > best.get(text, (0, ()))[0]:
            best[text] = (p, path)
    for text, (p, _) in best.items():
        path = align(np.log(posteriors) + 2, np.full(steps, 2.0), CODEC.encode(text), np.arange(steps)).tolist()
        assert CODEC.decode(path) == text
        assert np.prod(posteriors[np.arange(steps), path]) == pytest.approx(p)


@pytest.mark.parametrize("times", [[1, 5], [0, 2, 5], [1, 2, 3], [4, 7]])
def test_characters_stand_at_busy_steps_only(times):
    logs = np.log(np.full((8, 3), 1 / 3))
    path = align(logs, np.zeros(8), [1, 2], np.array(times))
    assert CODEC.decode(path.tolist()) == "ab"
    assert set(np.flatnonzero(path)) <= set(times)
