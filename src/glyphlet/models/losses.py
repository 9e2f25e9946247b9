"""Losses as plain functions. N lines, T time steps, S steps of a decoder, K classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from glyphlet.codec import BLANK, STOP


def ctc_loss(log_probs_NTK: torch.Tensor, labels: Sequence[Sequence[int]]) -> torch.Tensor:
    """Connectionist temporal classification (Graves et al. 2006), a mean over lines of -log P(label).

    A line's loss is not divided by its length. Every batch weighs the same, however few lines it holds.

    Args:
        log_probs_NTK: log softmax of the logits.
        labels: the classes of each line, without blanks.

    Returns:
        A scalar; infinite when a label cannot be aligned (the training checks that before it starts).
    """
    n, t, _ = log_probs_NTK.shape
    device = log_probs_NTK.device
    targets = torch.tensor([c for label in labels for c in label], dtype=torch.long, device=device)
    lengths = torch.tensor([len(label) for label in labels], dtype=torch.long)
    steps = torch.full((n,), t, dtype=torch.long)
    return F.ctc_loss(log_probs_NTK.transpose(0, 1), targets, steps, lengths, BLANK, reduction="sum") / n


def ctc_loss_of_logits(logits_NTK: torch.Tensor, labels: Sequence[Sequence[int]]) -> torch.Tensor:
    """`ctc_loss` of the log softmax of logits, in 0.6 of the time with 7,000 classes and in a third of it with 100."""
    loss: torch.Tensor = _OwnClasses.apply(logits_NTK, labels)
    return loss


class _OwnClasses(torch.autograd.Function):
    """CTC of logits that looks at the blank and the classes of each line's label, some ten columns of all.

    The derivative by the logits is softmax minus the share of the alignments that pass a class at a step; that share is
    0 for all classes that the label does not have.
    """

    @staticmethod
    def forward(ctx: Any, logits_NTK: torch.Tensor, labels: Sequence[Sequence[int]]) -> torch.Tensor:
        own = [list(dict.fromkeys([BLANK, *label])) for label in labels]
        most = max(map(len, own))
        columns_NC = torch.tensor([[*o, *[BLANK] * (most - len(o))] for o in own], device=logits_NTK.device)
        columns_NTC = columns_NC[:, None].expand(-1, logits_NTK.shape[1], -1)
        log_sums_NT1 = logits_NTK.logsumexp(-1, keepdim=True)
        with torch.enable_grad():
            log_probs_NTC = (logits_NTK.gather(2, columns_NTC) - log_sums_NT1).requires_grad_()
            loss = ctc_loss(log_probs_NTC, [[o.index(c) for c in label] for o, label in zip(own, labels, strict=True)])
        (slope_NTC,) = torch.autograd.grad(loss, log_probs_NTC)
        # torch gives probability minus share, over N, which is the derivative once it has passed a log softmax.
        shares_NTC = log_probs_NTC.detach().exp() / len(labels) - slope_NTC
        ctx.save_for_backward(logits_NTK, log_sums_NT1, columns_NTC, shares_NTC)
        return loss.detach()

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> tuple[torch.Tensor, None]:
        logits_NTK, log_sums_NT1, columns_NTC, shares_NTC = ctx.saved_tensors
        slope_NTK = (logits_NTK - log_sums_NT1).exp_().div_(len(logits_NTK))
        return slope_NTK.scatter_add_(2, columns_NTC, -shares_NTC).mul_(slopes[0]), None


def sequence_targets(
    labels: Sequence[Sequence[int]], steps: int, filler: int, device: torch.device | None = None
) -> torch.Tensor:
    """What a decoder is to write: each label, the stop, and `filler` up to the last step; int64 (N, S).

    >>> sequence_targets([[3], [1, 2]], 4, filler=9).tolist()
    [[3, 0, 9, 9], [1, 2, 0, 9]]
    """
    rows = [[*label, STOP, *[filler] * (steps - len(label) - 1)] for label in labels]
    return torch.tensor(rows, dtype=torch.long, device=device)


def _within(values_NS: torch.Tensor, steps: Sequence[int]) -> torch.Tensor:
    """Which steps of each line count, bool (N, S): the first `steps` of it. Further dimensions of the values do not matter."""
    places = torch.arange(values_NS.shape[1], device=values_NS.device)
    return places < torch.tensor(steps, device=values_NS.device)[:, None]


def stepwise_loss(
    log_probs_NSK: torch.Tensor, labels: Sequence[Sequence[int]], filler: int | None = None
) -> torch.Tensor:
    """Cross-entropy of a decoder: -log P(label and stop), given the right classes before each; a mean over lines.

    A line's loss is a sum over its steps, as that of CTC is, so the two are of the same kind: -log P of the text.

    Args:
        log_probs_NSK: log softmax of the logits; S is at least the longest label and its stop.
        labels: the classes of each line, without the stop.
        filler: None ends a line with its stop. A class is to be written in all steps after it, and these count, too.
    """
    targets_NS = sequence_targets(
        labels, log_probs_NSK.shape[1], STOP if filler is None else filler, log_probs_NSK.device
    )
    losses_NS = -log_probs_NSK.gather(2, targets_NS[..., None])[..., 0]
    if filler is None:
        losses_NS = losses_NS.where(_within(log_probs_NSK, [len(label) + 1 for label in labels]), 0.0)
    return losses_NS.sum(1).mean()


def confidence_penalty(log_probs_NTK: torch.Tensor, steps: Sequence[int] | None = None) -> torch.Tensor:
    """Entropy of the outputs in nats, summed over the steps of a line, mean over lines (Pereyra et al. 2017).

    Subtracted from a loss it keeps the outputs broad. For CTC this matters early: without it the network settles on
    one peaked alignment, and where that peak lies out of sight of the stroke that tells `h` from `n`, it stays wrong.

    Args:
        log_probs_NTK: log softmax of the logits.
        steps: how many steps of each line count, from the first on; all by default.
    """
    entropy_NT = -(log_probs_NTK.exp() * log_probs_NTK).sum(2)
    if steps is not None:
        entropy_NT = entropy_NT.where(_within(log_probs_NTK, steps), 0.0)
    return entropy_NT.sum(1).mean()


def posterior_loss(
    ours_NSK: torch.Tensor, theirs_NSK: torch.Tensor, temperature: float = 1.0, steps: Sequence[int] | None = None
) -> torch.Tensor:
    """Kullback-Leibler divergence of our posteriors from theirs in nats, summed over the steps of a line, mean over lines.

    It is multiplied by the square of the temperature, by which the gradients would be smaller (Hinton et al. 2015).

    Args:
        ours_NSK, theirs_NSK: logits.
        temperature: both are divided by it.
        steps: how many steps of each line count, from the first on; all by default.
    """
    ours, theirs = ((logits / temperature).log_softmax(-1) for logits in (ours_NSK, theirs_NSK))
    divergence_NS = F.kl_div(ours, theirs, reduction="none", log_target=True).sum(2)
    if steps is not None:
        divergence_NS = divergence_NS.where(_within(divergence_NS, steps), 0.0)
    return temperature**2 * divergence_NS.sum(1).mean()


def similarity_loss(ours_NTD: torch.Tensor, theirs_NTE: torch.Tensor) -> torch.Tensor:
    """Squared differences of the cosines between time steps, a mean over all pairs of a line, times T; mean over lines.

    Args:
        ours_NTD, theirs_NTE: features, of as many time steps.
    """
    ours_NTT, theirs_NTT = (cosines(features) for features in (ours_NTD, theirs_NTE))
    return (ours_NTT - theirs_NTT).square().mean(2).sum(1).mean()


def cosines(features_NTD: torch.Tensor) -> torch.Tensor:
    """The cosine between each pair of time steps, (N, T, T)."""
    directions = F.normalize(features_NTD, dim=2)
    return directions @ directions.transpose(1, 2)
