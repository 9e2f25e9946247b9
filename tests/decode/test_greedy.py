"""Greedy decoding on posteriors written by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec, Run
from glyphlet.decode.greedy import best_paths, decode, runs, span
from glyphlet.image import Line

CODEC = CTCCodec(Charset.from_text("ab"))


def line(padded, scaled=None, width=None):
    return Line(np.zeros((1, 8, padded), np.uint8), scaled or padded, width or scaled or padded)


def test_text_confidences_spans_and_raw_path():
    posteriors = np.array([[[0.9, 0.1, 0.0], [0.3, 0.6, 0.1], [0.2, 0.8, 0.0], [0.5, 0.1, 0.4], [0.1, 0.2, 0.7]]])
    # 5 steps of 4 pixels; the image fills 18 of them and was 36 wide.
    (reading,) = decode(np.log(posteriors + 1e-12), CODEC, [line(20, 18, 36)], 4, ["x.png"])
    assert (reading.text, reading.raw, reading.source) == ("ab", "_aa_b", "x.png")
    first, second = reading.characters
    assert (first.char, first.left, first.right) == ("a", 8.0, 24.0)
    assert (second.char, second.left, second.right) == ("b", 32.0, 36.0)  # clipped: step 4 reaches into the padding
    assert first.confidence == pytest.approx(0.8)  # the higher of 0.6 and 0.8
    assert second.confidence == pytest.approx(0.7)


def test_line_confidence_sums_over_alignments():
    # "a" may be a-, -a or aa, though the best path alone has 0.4 * 0.6.
    posteriors = np.array([[[0.4, 0.6, 0.0], [0.6, 0.4, 0.0]]])
    (reading,) = decode(np.log(posteriors + 1e-12), CODEC, [line(8)], 4, [""])
    assert reading.text == "a"
    assert reading.confidence == pytest.approx(0.6 * 0.6 + 0.4 * 0.4 + 0.6 * 0.4)


def test_nothing_on_a_line():
    posteriors = np.array([[[0.9, 0.1, 0.0]] * 3])
    (reading,) = decode(np.log(posteriors + 1e-12), CODEC, [line(12)], 4, [""])
    assert (reading.text, reading.characters, reading.raw) == ("", (), "___")
    assert reading.confidence == pytest.approx(0.9**3)


def test_a_doubled_character_needs_a_blank():
    logits = np.zeros((1, 5, 3))
    logits[0, [0, 1, 2, 3, 4], [1, 1, 0, 1, 2]] = 9
    (reading,) = decode(logits, CODEC, [line(20)], 4, [""])
    assert reading.text == "aab"
    assert [(c.left, c.right) for c in reading.characters] == [(0, 8), (12, 16), (16, 20)]


def test_a_run_in_the_padding_has_no_width():
    assert span(Run(1, 4, 5), line(20, 10, 30), 4) == (30.0, 30.0)


def test_runs_do_not_go_from_one_line_to_the_next():
    paths = np.array([[0, 1, 1], [1, 1, 2], [0, 0, 0], [2, 0, 2]])
    found = runs(paths, np.arange(12).reshape(4, 3) / 100)
    assert found == [
        [(Run(1, 1, 3), 0.02)],
        [(Run(1, 0, 2), 0.04), (Run(2, 2, 3), 0.05)],
        [],
        [(Run(2, 0, 1), 0.09), (Run(2, 2, 3), 0.11)],
    ]


def test_log_posteriors_and_shifted_logits_give_the_same():
    logits = np.random.default_rng(0).normal(size=(4, 9, 3)) * 3
    normalized = logits - best_paths(logits)[2][..., None]
    for one, other in zip(
        decode(logits + 100, CODEC, [line(36)] * 4, 4, [""] * 4),
        decode(normalized, CODEC, [line(36)] * 4, 4, [""] * 4),
        strict=True,
    ):
        assert one.text == other.text
        assert one.confidence == pytest.approx(other.confidence)


@given(st.integers(1, 6), st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_codec(count, steps, seed):
    logits = (np.random.default_rng(seed).normal(size=(count, steps, 3)) * 2).astype(np.float32)
    readings = decode(logits, CODEC, [line(4 * steps)] * count, 4, [""] * count)
    for path, reading in zip(logits.argmax(-1).tolist(), readings, strict=True):
        assert reading.text == CODEC.decode(path)
        assert reading.raw == CODEC.raw(path)
        assert [(c.left / 4, c.right / 4) for c in reading.characters] == [(r.start, r.stop) for r in CODEC.runs(path)]
        assert 0 < reading.confidence <= 1
