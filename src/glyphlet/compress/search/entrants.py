"""The candidates: of each ladder the widest network that meets the limits, narrower ones, and a wider one to be cut down to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from glyphlet.compress.accuracy import Accuracy
from glyphlet.compress.search.limits import Cost, Limits
from glyphlet.compress.search.space import Ladder
from glyphlet.errors import CompressionError, RecipeError
from glyphlet.models.recognizer import Recognizer
from glyphlet.spec import ModelSpec

WIDER = 2.5
"""A network that costs at most so many times the limits may be cut down to them."""
CUTS = 2
"""At most so many networks are cut."""


@dataclass(frozen=True)
class Reading:
    """How a candidate reads the validation lines at the end of a rung.

    Args:
        rung: from 0.
        updates: it was trained by, from its first.
        seconds: that the rung took it.
        loss: mean of a validation line.
        read: counts of lines and characters.
        final: whether its rate had fallen to 0: it is at the end of its training.
    """

    rung: int
    updates: int
    seconds: float
    loss: float
    read: Accuracy
    final: bool

    def rank(self) -> tuple[float, float]:
        """The higher the better, early in a training: 1 - CER, and where no character is read yet, the loss."""
        return self.read.by("cer"), -self.loss

    def as_dict(self) -> dict[str, Any]:
        """As `of` takes it."""
        return {**vars(self), "read": self.read.as_dict()}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Reading:
        """What `as_dict` gave."""
        return cls(**{**values, "read": Accuracy(**values["read"])})


@dataclass
class Entrant:
    """A candidate and how it has done.

    Args:
        name: of its ladder and its width.
        spec: its network; once it is cut, with the sizes of its layers.
        cost: of the network as it will be served: for one that is yet to be cut, of the whole one.
        weights: how its file stores them; None where it is yet to be cut.
        rate: the learning rate.
        cut: whether it is (to be) a wider network that is pruned.
        begun: updates that it had when it was cut.
        speed: training lines a second.
        failed: why it is out of the race.
        served: how its model file reads, once it was written.
    """

    name: str
    spec: ModelSpec
    cost: Cost
    weights: str | None
    rate: float
    cut: bool = False
    begun: int = 0
    speed: float = 0.0
    failed: str = ""
    served: Accuracy | None = None
    readings: list[Reading] = field(default_factory=list)

    @property
    def last(self) -> Reading | None:
        """Its last reading."""
        return self.readings[-1] if self.readings else None

    @property
    def read(self) -> Accuracy | None:
        """How it reads: its model file if there is one, or its last reading."""
        return self.served or (self.last.read if self.last else None)

    @property
    def kb(self) -> float:
        """Of its file, as it is stored."""
        return self.cost.kb[self.weights or "int8"]

    @property
    def ms(self) -> float:
        """Of a line with its file."""
        return self.cost.time(self.weights)

    def as_dict(self) -> dict[str, Any]:
        """As `of` takes it."""
        served = self.served.as_dict() if self.served else None
        plain = {"spec": self.spec.model_dump(mode="json"), "cost": self.cost.as_dict(), "served": served}
        return {**vars(self), **plain, "readings": [reading.as_dict() for reading in self.readings]}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Entrant:
        """What `as_dict` gave."""
        return cls(
            **{
                **values,
                "spec": ModelSpec.model_validate(values["spec"]),
                "cost": Cost(**values["cost"]),
                "served": Accuracy(**values["served"]) if values["served"] else None,
                "readings": [Reading.of(reading) for reading in values["readings"]],
            }
        )


@dataclass(frozen=True)
class Proposing:
    """Finds the candidates.

    Args:
        build: from parts to a network.
        measure: what a network costs.
        spec: of a ladder and a width.
        limits: what a recogniser may cost.
        levels: how many widths below the widest, of each ladder: 0 is the widest itself.
    """

    build: Callable[[ModelSpec], Recognizer]
    measure: Callable[[Recognizer], Cost]
    spec: Callable[[Ladder, int], ModelSpec]
    limits: Limits
    levels: Sequence[int] = (0, 2)
    known: dict[str, Entrant] = field(default_factory=dict)

    def entrant(self, ladder: Ladder, place: int) -> Entrant:
        """The network of one width with its cost; measured once."""
        width = ladder.widths[place]
        name = ladder.named(width)
        if name not in self.known:
            spec = self.spec(ladder, width)
            cost = self.measure(self.build(spec))
            self.known[name] = Entrant(name, spec, cost, self.limits.weights(cost), ladder.rate)
        return self.known[name]

    def widest(self, ladder: Ladder) -> int:
        """The place of the widest network of a ladder that meets the limits, by halving; -1 where none does."""
        low, high = -1, len(ladder.widths)
        while high - low > 1:
            middle = (low + high) // 2
            if self.entrant(ladder, middle).weights is None:
                high = middle
            else:
                low = middle
        return low

    def propose(self, ladders: Sequence[Ladder]) -> tuple[list[Entrant], list[str]]:
        """The candidates, the most promising first, and which ladders cannot take part and why.

        Raises:
            CompressionError: nothing meets the limits; with the least that can be had.
        """
        notes, places = [], dict[str, int]()
        for ladder in ladders:
            try:
                places[ladder.name] = self.widest(ladder)
            except (
                RecipeError,
                TypeError,
                ValueError,
                RuntimeError,
            ) as error:  # of a layer that the image is too low for
                notes.append(f"{ladder.name}: {' '.join(str(error).split())[:200]}")
        taking = [ladder for ladder in ladders if ladder.name in places]
        found: dict[str, Entrant] = {}
        cuts = 0
        for level in self.levels:
            for ladder in taking:
                place = places[ladder.name]
                if place - level >= 0:
                    made = self.entrant(ladder, place - level)
                    found[made.name] = made
                if not level and cuts < CUTS and place + 1 < len(ladder.widths):
                    wider = self.entrant(ladder, place + 1)
                    if self.limits.excess(wider.cost) <= WIDER:
                        wider.cut, wider.name, cuts = True, f"{wider.name}-cut", cuts + 1
                        found[wider.name] = wider
        if not any(not entrant.cut for entrant in found.values()):
            raise self._unmet(taking, notes)
        return list(found.values()), notes

    def _unmet(self, taking: Sequence[Ladder], notes: Sequence[str]) -> CompressionError:
        least = [self.entrant(ladder, 0) for ladder in taking]
        if not least:
            return CompressionError(
                f"no family can be built for these images: {'; '.join(notes)}",
                allowed="images of 32 rows, or of another multiple of 8",
                next_step="set image.height=32",
            )
        small, fast = min(least, key=_kb), min(least, key=_ms)
        limits = self.limits
        both = limits.kb is not None and limits.ms is not None
        return CompressionError(
            f"{limits} cannot be met on this machine: the smallest candidate is {small.name} with {_kb(small):,.1f} kB and "
            f"{_ms(small):.3f} ms, the fastest {fast.name} with {_kb(fast):,.1f} kB and {_ms(fast):.3f} ms",
            allowed=f"{_kb(small):,.1f} kB or more, and {_ms(fast):.3f} ms or more"
            + (", and both by the same candidate" if both else ""),
            next_step="raise --max-kb"
            if limits.ms is None
            else "raise --max-ms"
            if limits.kb is None
            else "raise one of them",
        )


def _kb(entrant: Entrant) -> float:
    return min(entrant.cost.kb.values())


def _ms(entrant: Entrant) -> float:
    return min(entrant.cost.ms, entrant.cost.ms_int8)


__all__ = ["CUTS", "WIDER", "Entrant", "Proposing", "Reading"]
