"""Which fonts a text is drawn with: one that covers all of it, or, where that is asked for, several."""

from __future__ import annotations

import random
from collections.abc import Mapping

from glyphlet.synth.fonts import Face

Faces = Face | tuple[Face, ...]
"""One face for a text, or one for each character."""


class Coverage:
    """Which faces can draw a text alone.

    Args:
        covered: the characters of each face.
    """

    def __init__(self, covered: Mapping[Face, frozenset[str]]) -> None:
        self._faces = list(covered)
        self._all = (1 << len(self._faces)) - 1
        self._having: dict[str, int] = {}  # bit i: face i has the character
        for number, known in enumerate(covered.values()):
            for char in known:
                self._having[char] = self._having.get(char, 0) | 1 << number

    def of(self, text: str) -> list[Face]:
        """The faces that have every character of a text, in the order in which they were given."""
        common = self._all
        for char in set(text):
            common &= self._having.get(char, 0)
        return [face for number, face in enumerate(self._faces) if common >> number & 1]


def assign(text: str, covered: Mapping[Face, frozenset[str]], rng: random.Random) -> Faces | None:
    """Faces that cover a text together, as few as possible: the one that covers most comes first, then the one that covers
    most of the rest. Among equals chance decides. A space goes with what stands before it.

    Returns:
        One face, or one for each character; None when they do not cover the text.
    """
    rest = {c for c in text if not c.isspace()}
    order = list(covered)
    rng.shuffle(order)
    chosen: list[Face] = []
    while rest or not chosen:
        best = max(order, key=lambda face: len(covered[face] & rest))
        if rest and not covered[best] & rest:
            return None
        chosen.append(best)
        rest -= covered[best]
    if len(chosen) == 1 and covered[chosen[0]].issuperset(text):
        return chosen[0]
    faces: list[Face] = []
    for char in text:
        here = next((face for face in chosen if char in covered[face]), None)
        if here is None:
            here = next((face for face in order if char in covered[face]), None)
        if here is None:
            return None
        before = faces[-1] if faces and char.isspace() else None
        faces.append(before if before is not None and char in covered[before] else here)
    return tuple(faces)
