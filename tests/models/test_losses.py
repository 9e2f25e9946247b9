import itertools
import math

import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec, min_steps
from glyphlet.models.losses import confidence_penalty, ctc_loss, ctc_loss_of_logits, stepwise_loss

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


@pytest.mark.parametrize("classes", [8, 512])
def test_loss_and_slope_of_logits_are_those_of_the_log_softmax(classes):
    torch.manual_seed(0)
    logits = torch.randn(5, 9, classes, dtype=torch.float64, requires_grad=True)
    labels = [[1, 1, 2], [3], [], [5, 6, 5, 5], [classes - 1, 2, 3, 4]]
    expected = ctc_loss(logits.log_softmax(-1), labels)
    found = ctc_loss_of_logits(logits, labels)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    slopes = [torch.autograd.grad(3 * loss, logits)[0] for loss in (expected, found)]
    torch.testing.assert_close(*slopes, rtol=1e-9, atol=1e-12)
    assert float(slopes[1].sum(-1).abs().max()) < 1e-12  # softmax minus shares: both sum to 1 at every step


def test_a_label_that_needs_more_steps_has_an_infinite_loss_of_logits():
    assert float(ctc_loss_of_logits(torch.zeros(1, 2, 3), [[1, 1]])) == math.inf


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


P_OF_STEPS = [  # two lines, three steps, classes stop, a, b
    [[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]],
    [[0.2, 0.2, 0.6], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1]],
]


def test_the_loss_of_a_decoder_ends_with_the_stop():
    log_probs = torch.tensor(P_OF_STEPS).log()
    loss = stepwise_loss(log_probs, [[1], [2, 1]])
    assert float(loss) == pytest.approx(-(math.log(0.7 * 0.6) + math.log(0.6 * 0.8 * 0.5)) / 2)
    changed = log_probs.clone()
    changed[0, 2] = torch.tensor([0.01, 0.01, 0.98]).log()
    assert float(stepwise_loss(changed, [[1], [2, 1]])) == float(loss)


def test_what_fills_up_counts_when_asked_for():
    log_probs = torch.tensor(P_OF_STEPS).log()
    for filler, after in ((0, 0.2), (1, 0.3), (2, 0.5)):
        expected = -(math.log(0.7 * 0.6 * after) + math.log(0.6 * 0.8 * 0.5)) / 2
        assert float(stepwise_loss(log_probs, [[1], [2, 1]], filler)) == pytest.approx(expected)


def test_the_gradient_of_what_does_not_count_is_zero():
    logits = torch.tensor(P_OF_STEPS).log().requires_grad_()
    stepwise_loss(logits.log_softmax(-1), [[1], [2, 1]]).backward()
    assert (logits.grad[0, 2] == 0).all()
    assert (logits.grad[1, 2] != 0).all()


def test_a_class_that_is_impossible_after_the_stop_harms_nothing():
    log_probs = torch.tensor(P_OF_STEPS).log()
    log_probs[0, 2] = -math.inf
    assert math.isfinite(float(stepwise_loss(log_probs, [[1], [2, 1]])))


def test_the_penalty_of_the_first_steps_alone():
    even = torch.zeros(2, 5, 4).log_softmax(-1)
    assert float(confidence_penalty(even, [2, 5])) == pytest.approx(3.5 * math.log(4))
