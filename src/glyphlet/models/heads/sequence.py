"""What heads share that write one class a step, each with the ones before in view.

In training the class before is the right one (teacher forcing, Williams and Zipser 1989). In reading it is the one that
the head itself has written last, the most probable one (greedy). A head of this kind says how its state begins and what
one step does; this class does the rest. After its stop a line's logits are zeros, which read as the stop again, so that
they depend on nothing but the line.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from glyphlet.charset import Charset
from glyphlet.codec import STOP, SequenceCodec
from glyphlet.models.head import Head, Labels
from glyphlet.models.losses import confidence_penalty, sequence_targets, stepwise_loss
from glyphlet.models.options import within

LONGEST = 1000
"""The largest `max_length`."""
State = Sequence[torch.Tensor]
"""What a head remembers between steps, each part with the lines first: (N, T, ...) or (N, ...)."""


class SequenceHead(Head):
    """Logits (N, S, K) with S = `max_length` + 1 and the stop at class 0.

    Args:
        charset: the characters.
        max_length: the most characters that it can write; one more step is for the stop.
        filler: the class that stands after the stop in training and is learnt there, up to the last step; None is the
            usual way, by which nothing after the stop counts.
        teacher: whether a step is fed the right class before it in training, or its own.
    """

    guided = True

    def __init__(self, charset: Charset, max_length: int, *, filler: int | None, teacher: bool = True) -> None:
        super().__init__(SequenceCodec(charset))
        within("model.head.max_length", max_length, 1, LONGEST)
        self.max_length = max_length
        self.filler = filler
        self.teacher = teacher

    @abstractmethod
    def begin(self, x_NTD: torch.Tensor) -> State:
        """The state before the first step."""

    @abstractmethod
    def step(self, state: State, class_N: torch.Tensor | None) -> tuple[torch.Tensor, State]:
        """One step: the state and the classes before, None before the first step, to logits (N, K) and the next state."""

    def forward(self, x_NTD: torch.Tensor, labels: Labels | None = None) -> Any:
        """(N, T, D) to logits (N, S, K); with labels, of the steps that count in the loss alone."""
        return self.write(x_NTD) if labels is None else self.follow(x_NTD, labels)

    def write(self, x_NTD: torch.Tensor) -> torch.Tensor:
        """Greedy: logits (N, max_length + 1, K)."""
        state, steps = self.begin(x_NTD), list[torch.Tensor]()
        last: torch.Tensor | None = None
        while len(steps) <= self.max_length and (last is None or self.whole or bool((last != STOP).any())):
            logits_NK, last, state = self.turn(state, last)
            steps.append(logits_NK)
        return F.pad(torch.stack(steps, 1), (0, 0, 0, self.max_length + 1 - len(steps)))

    def turn(self, state: State, class_N: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor, State]:
        """One step of greedy writing: logits (N, K), zeros where a line has ended, the classes written, the state."""
        logits_NK, state = self.step(state, class_N)
        if class_N is not None:
            going_N = class_N != STOP
            logits_NK = logits_NK * going_N.to(logits_NK.dtype)[:, None]
        return logits_NK, logits_NK.argmax(1), state

    def follow(self, x_NTD: torch.Tensor, labels: Labels) -> torch.Tensor:
        """Along the labels: logits of the steps up to the last that counts."""
        count = self.max_length + 1 if self.filler is not None else max(map(len, labels), default=0) + 1
        targets_NS = sequence_targets(labels, count, self.filler or STOP, x_NTD.device)
        state, steps = self.begin(x_NTD), list[torch.Tensor]()
        last: torch.Tensor | None = None
        for t in range(count):
            logits_NK, state = self.step(state, last)
            steps.append(logits_NK)
            last = targets_NS[:, t] if self.teacher else logits_NK.argmax(1)
        return torch.stack(steps, 1)

    def loss(self, output: Any, labels: Labels) -> torch.Tensor:
        """Cross-entropy, summed over the steps of a line up to its stop, mean over lines."""
        return stepwise_loss(self.logits(output).float().log_softmax(-1), labels, self.filler)

    def entropy(self, output: Any, labels: Labels) -> torch.Tensor:
        """Of the steps up to the stop, as the labels have it."""
        steps = [len(label) + 1 for label in labels]
        return confidence_penalty(self.logits(output).float().log_softmax(-1), steps)

    def steps(self, time_steps: int) -> int:
        """As many for every line: `max_length` characters and the stop."""
        return self.max_length + 1
