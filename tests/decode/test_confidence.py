"""The exact probability of a text, against the sum over every path and against torch."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.decode.confidence import SURE, log_normalizers, log_probabilities, telling_steps
from glyphlet.decode.greedy import best_paths, runs

CODEC = CTCCodec(Charset.from_text("abc"))


def brute_force(posteriors_TK):
    """The probability of every text, by going through every path."""
    steps, classes = posteriors_TK.shape
    texts = defaultdict(float)
    for path in itertools.product(range(classes), repeat=steps):
        labels = tuple(run.label for run in CODEC.runs(path))
        texts[labels] += float(np.prod(posteriors_TK[np.arange(steps), path]))
    return texts


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@st.composite
def one_line(draw):
    shape = (draw(st.integers(1, 5)), draw(st.integers(2, 4)))
    return draw(arrays(np.float64, shape, elements=st.floats(-30, 30)))


@given(one_line())
@settings(max_examples=60, deadline=None)
def test_every_text_has_the_probability_of_its_paths(logits_TK):
    texts = brute_force(softmax(logits_TK))
    labels = list(texts)
    batch = np.repeat(logits_TK[None], len(labels), axis=0)  # one line for each text: lengths 0 to T side by side
    found = np.exp(log_probabilities(batch, labels))
    assert found == pytest.approx(list(texts.values()), rel=1e-9, abs=1e-200)
    assert found.sum() == pytest.approx(1.0, abs=1e-9)


def test_by_hand():
    posteriors = np.array([[[0.6, 0.4], [0.7, 0.3]]])
    found = np.exp(log_probabilities(np.log(posteriors), [[1]]))
    assert found[0] == pytest.approx(0.4 * 0.3 + 0.4 * 0.7 + 0.6 * 0.3)
    assert np.exp(log_probabilities(np.log(posteriors), [[]]))[0] == pytest.approx(0.42)


def test_texts_that_need_more_steps_have_probability_zero():
    logits = np.zeros((3, 2, 4))
    assert np.isneginf(log_probabilities(logits, [[1, 1], [1, 2, 3], [1, 2]])).tolist() == [True, True, False]


def test_lines_do_not_depend_on_each_other():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(9, 20, 7)) * 4
    labels = [rng.integers(1, 7, size=n).tolist() for n in range(9)]
    alone = [log_probabilities(logits[i : i + 1], [labels[i]])[0] for i in range(9)]
    assert log_probabilities(logits, labels).tolist() == alone


@pytest.mark.parametrize("steps", [30, 200])
def test_agrees_with_torch(steps):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(6, steps, 20)) * 5
    labels = [rng.integers(1, 20, size=n).tolist() for n in (1, 3, 5, 8, 10, 12)]
    log_probs = torch.from_numpy(logits).log_softmax(-1).transpose(0, 1)
    loss = torch.nn.functional.ctc_loss(
        log_probs,
        torch.tensor([c for label in labels for c in label]),
        torch.full((6,), steps),
        torch.tensor([len(label) for label in labels]),
        reduction="none",
    )
    assert log_probabilities(logits, labels) == pytest.approx(-loss.numpy(), rel=1e-9)


def test_a_very_long_line_keeps_its_logarithm():
    logits = np.zeros((1, 7500, 3))
    # With equal posteriors the text "a" has as many paths as there are ways to choose its first and last step.
    expected = np.log(7500 * 7501 / 2) - 7500 * np.log(3)
    assert log_probabilities(logits, [[1]])[0] == pytest.approx(expected, rel=1e-12)


@given(arrays(np.float32, (2, 6, 4), elements=st.floats(-(2.0**99), 2.0**99, width=32)))
@settings(max_examples=50, deadline=None)
def test_no_logits_break_it(logits):
    found = log_probabilities(logits, [[1, 2], [3]])
    assert not np.isnan(found).any()
    assert (found <= 0).all()


def test_normalizers_do_not_overflow():
    logits = np.array([[[1000.0, 1000.0], [-1000.0, -1000.0]]], dtype=np.float32)
    assert log_normalizers(logits)[0] == pytest.approx([1000 + np.log(2), -1000 + np.log(2)])


class TestTellingSteps:
    """Steps that repeat, for sure, the class before them, and what is lost by leaving them out."""

    @given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 12), st.sampled_from([1.0, 8.0, 40.0]))
    @settings(max_examples=100, deadline=None)
    def test_no_more_changes_than_was_said(self, seed, lines, steps, sharpness):
        logits = np.random.default_rng(seed).normal(size=(lines, steps, 3)) * sharpness
        paths, best, normalizers = best_paths(logits)
        labels = [[run.label for run, _ in line] for line in runs(paths, best)]
        exact = log_probabilities(logits, labels, normalizers)
        telling = telling_steps(paths, best)
        found = log_probabilities(logits, labels, normalizers, telling)
        assert (found <= exact - steps * np.log1p(-2 * SURE) + 1e-7).all()
        assert (found >= exact + steps * np.log1p(-2 * SURE) - 1e-7).all()
        alone = [
            log_probabilities(
                logits[n : n + 1], labels[n : n + 1], None, telling_steps(paths[n : n + 1], best[n : n + 1])
            )
            for n in range(lines)
        ]
        assert found == pytest.approx(np.concatenate(alone), rel=1e-12)

    def test_by_hand(self):
        paths = np.array([[0, 0, 2, 2, 2, 0], [1, 1, 1, 1, 1, 1]])
        sure = np.array([[1.0, 1.0, 1.0, 0.9, 1.0, 1.0], [1.0] * 6])
        steps, repeated = telling_steps(paths, sure)
        assert steps.tolist() == [[0, 2, 3, 4, 5], [0, -1, -1, -1, -1]]
        assert repeated.tolist() == [0, 0]
        sure[1, 3] = 1 - 1e-6
        assert telling_steps(paths, sure)[1][1] == pytest.approx(np.log1p(-1e-6))
