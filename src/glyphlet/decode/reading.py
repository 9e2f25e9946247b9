"""What comes out of a recogniser: a text, how sure the model is of it, and where each character stands.

These are plain frozen values; nothing in them refers to a model, so that they can be sent, stored and compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a reading.

    Args:
        char: the character.
        confidence: 0 to 1, the highest posterior of this character over the time steps that it fills.
        left, right: the columns that those time steps cover, `left <= x < right`, in pixels of the original image.
            CTC models fire where they are sure, so the span lies *on* the character and is usually narrower than it.
            None where the model does not know (attention and LSTM decoders).
    """

    char: str
    confidence: float
    left: float | None
    right: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one line.

    Args:
        text: the text.
        confidence: 0 to 1, the probability that the model gives to this text, summed over every way to align it with
            the image (see `decode.confidence`).
        characters: one entry for each character of the text, from left to right.
        raw: one sign for each time step, blanks shown as `_` (or as another sign when `_` is in the charset).
        source: what was read, as it is called in messages: a path, or a description.
        reason: why the text is empty although something was asked of it (a pattern, a lexicon) that no text fulfils;
            otherwise empty.

    >>> reading = Reading("7", 0.9, (Character("7", 0.95, 4.0, 8.0),), "_7_", "line.png")
    >>> reading.to_dict()["characters"]
    [{'char': '7', 'confidence': 0.95, 'left': 4.0, 'right': 8.0}]
    """

    text: str
    confidence: float
    characters: tuple[Character, ...]
    raw: str
    source: str
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The reading as dictionaries, lists, numbers and strings, ready for JSON; `reason` only where there is one."""
        characters = [
            {"char": one.char, "confidence": one.confidence, "left": one.left, "right": one.right}
            for one in self.characters
        ]
        found = {"text": self.text, "confidence": self.confidence, "characters": characters, "raw": self.raw}
        found["source"] = self.source
        return {**found, "reason": self.reason} if self.reason else found


__all__ = ["Character", "Reading"]
