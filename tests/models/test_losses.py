import itertools
import math

import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec, min_steps
from glyphlet.models.losses import confidence_penalty, ctc_loss

CODEC = CTCCodec(Charset.from_text("ab"))


def brute_force(log_probs, labels):
    """-log of the sum over every path that collapses to the labels."""
    steps, classes = log_probs.shape
    total = 0.0
    for path in itertools.product(range(classes), repeat=steps):
        if CODEC.encode(CODEC.decode(path)) == labels:
            total += math.exp(sum(float(log_probs[t, c]) for t, c in enumerate(path)))
    return -math.log(total)


@pytest.mark.parametrize("labels", [[[1]], [[1, 1]], [[1, 2, 1]], [[], [2]], [[2, 2], [1]]])
def test_ctc_is_the_sum_over_all_alignments(labels):
    torch.manual_seed(0)
    log_probs = torch.randn(len(labels), 4, 3).log_softmax(-1)
    expected = sum(brute_force(p, label) for p, label in zip(log_probs, labels, strict=True)) / len(labels)
    assert float(ctc_loss(log_probs, labels)) == pytest.approx(expected, rel=1e-5)


def test_a_label_that_needs_more_steps_is_infinite_not_zero():
    log_probs = torch.zeros(1, 2, 3).log_softmax(-1)
    assert min_steps([1, 1]) == 3
    assert float(ctc_loss(log_probs, [[1, 1]])) == math.inf
    assert math.isfinite(float(ctc_loss(log_probs, [[1, 2]])))


def test_the_penalty_is_the_entropy_of_a_line():
    even = torch.zeros(2, 5, 4).log_softmax(-1)
    assert float(confidence_penalty(even)) == pytest.approx(5 * math.log(4))
    certain = torch.tensor([[[50.0, 0, 0, 0]]]).log_softmax(-1)
    assert float(confidence_penalty(certain)) == pytest.approx(0, abs=1e-6)


def test_the_head_gives_the_loss_and_the_entropy():
    from support import micro

    model = micro("ab")
    logits = torch.randn(2, 8, 3)
    log_probs = logits.log_softmax(-1)
    assert float(model.head.loss(logits, [[1], [2]])) == pytest.approx(float(ctc_loss(log_probs, [[1], [2]])))
    assert float(model.head.entropy(logits, [[1], [2]])) == pytest.approx(float(confidence_penalty(log_probs)))
