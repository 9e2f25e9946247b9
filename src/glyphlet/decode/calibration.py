"""What a confidence means, and what is no text: the correction that a model file carries.

A network's own probability p of what it read is not how often it is right. It is corrected by

    q = 1 / (1 + exp(-(a ln p - b ln(1 - p) + c)))        a, b >= 0

(beta calibration: Kull, Silva Filho and Flach 2017, "Beyond sigmoids"), which keeps every order. With a = b = 1/T and c = 0 it
is temperature scaling (Guo et al. 2017, "On calibration of modern neural networks") of the odds. Lines and characters have
parameters of their own. `export.calibrate` finds them on validation lines.

A line that shows no text is told by the mean log-probability of a character, `ln p / n`: what is not text is read by a network
that is unsure of every character. Below `least` nothing is read, and the reading says so.

A CTC network may write each character some columns after it, always as many. `shift` puts the spans back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from glyphlet.decode.reading import Reading
from glyphlet.errors import RecipeError
from glyphlet.image import Line

KINDS = ("none", "beta")
BOUND = 3.0
"""A text that had to be legal may be so many times as unsure, in logarithms, before it is asked whether there is any."""
NEVER = 10.0
"""One that is so many times as unsure does not stand there."""
NOTHING = "no text was found: the image is blank, or shows nothing that this model reads"
_CERTAIN = 1e-12
"""No probability is taken to be closer to 0 or 1 than this."""


@dataclass(frozen=True)
class Beta:
    """A monotone map of probabilities; without arguments it changes nothing.

    >>> Beta().of(0.25)
    0.25
    >>> round(Beta(0.5, 0.5, 0.0).of(0.9), 3)    # temperature 2
    0.75
    """

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __post_init__(self) -> None:
        good = all(math.isfinite(value) and abs(value) <= 1e6 for value in (self.a, self.b, self.c))
        if not good or self.a < 0 or self.b < 0:
            raise RecipeError(
                f"a calibration has the parameters {self.a:g}, {self.b:g}, {self.c:g}",
                allowed="finite numbers, the first two 0 or more",
                next_step="calibrate the model again with `glyphlet calibrate`",
            )

    def of(self, probability: float) -> float:
        """The corrected probability."""
        if self == _SAME:
            return probability
        p = min(max(probability, _CERTAIN), 1 - _CERTAIN)
        odds = self.a * math.log(p) - self.b * math.log1p(-p) + self.c
        return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0


_SAME = Beta()


@dataclass(frozen=True)
class Calibration:
    """How the readings of a model are corrected.

    Args:
        line: of the confidence of a text.
        character: of the confidence of a character.
        least: the least mean log-probability of a character, `ln p / n`, that counts as text; None rejects nothing.
        shift: columns of the model's input, in pixels, by which the network writes a character to the right of it.
    """

    line: Beta = _SAME
    character: Beta = _SAME
    least: float | None = None
    shift: float = 0.0

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Calibration | None:
        """The calibration of a model file; None where it has none.

        Raises:
            RecipeError: what is stored is none.
        """
        if stored.get("kind") == "none" and len(stored) == 1:
            return None
        if stored.keys() - {"shift"} != {"kind", "line", "character", "least"} or stored["kind"] != "beta":
            raise _unknown(stored)
        least, shift = stored["least"], stored.get("shift", 0)
        if not (least is None or _is_number(least)) or not _is_number(shift):
            raise _unknown(stored)
        least = None if least is None else float(least)
        return cls(_beta(stored["line"]), _beta(stored["character"]), least, float(shift))

    def to_dict(self) -> dict[str, Any]:
        """As it is stored in a model file.

        >>> Calibration.of(Calibration(least=-0.5).to_dict()) == Calibration(least=-0.5)
        True
        """
        line, character = ([beta.a, beta.b, beta.c] for beta in (self.line, self.character))
        made = {"kind": "beta", "line": line, "character": character, "least": self.least}
        return {**made, "shift": self.shift} if self.shift else made

    def rejects(self, reading: Reading, bound: bool = False) -> bool:
        """Whether a reading, before any correction, is no text.

        Args:
            reading: what the network reads by itself,
            bound: or a text that had to be legal, under a pattern or the like.
        """
        if self.least is None:
            return False
        least = BOUND * self.least if bound else self.least
        return not reading.text or sureness(reading.confidence, len(reading.characters)) < least

    def apply(self, reading: Reading, line: Line, alone: Reading | None = None) -> Reading:
        """A reading with corrected confidences and spans, or without text where nothing was to be read.

        A reading that has a `reason` already is left as it is.

        Args:
            reading: as the network gave it.
            line: what was read, for its widths.
            alone: what the network reads by itself, where the reading is bound to a pattern or the like. Whether there is text is
                asked of this; what must be legal is often not what the network is sure of.
        """
        if reading.reason:
            return reading
        alone = alone or reading
        if self.rejects(alone):
            return replace(reading, text="", confidence=0.0, characters=(), reason=self._reason(alone))
        return self.corrected(reading, line)

    def unlikely(self, reading: Reading) -> bool:
        """Whether a text that had to be legal is one that does not stand there at all."""
        if self.least is None:
            return False
        return sureness(reading.confidence, len(reading.characters)) < NEVER * self.least

    def refused(self, reading: Reading) -> Reading:
        """Such a reading, without its text, and why."""
        mean = math.exp(sureness(reading.confidence, len(reading.characters)))
        said = f"no legal text is likely: the best is {reading.text!r}, and the model gives its characters {mean:.2g} on average"
        return replace(reading, text="", confidence=0.0, characters=(), reason=said)

    def corrected(self, reading: Reading, line: Line) -> Reading:
        """A reading with corrected confidences and spans, whatever it is; see `apply`."""
        pixels = self.shift * line.width / line.scaled_width
        characters = tuple(
            replace(
                one,
                confidence=self.character.of(one.confidence),
                left=_moved(one.left, pixels, line.width),
                right=_moved(one.right, pixels, line.width),
            )
            for one in reading.characters
        )
        return replace(reading, confidence=self.line.of(reading.confidence), characters=characters)

    def _reason(self, alone: Reading) -> str:
        if not alone.text or self.least is None:
            return NOTHING
        mean, least = math.exp(sureness(alone.confidence, len(alone.characters))), math.exp(self.least)
        return f"no text was found: the model gives a character {mean:.2g} on average, below {least:.2g}"


def sureness(probability: float, characters: int) -> float:
    """The mean log-probability of a character of a text, at most 0.

    >>> round(sureness(0.25, 2), 3), sureness(0.0, 4) < -100
    (-0.693, True)
    """
    return math.log(max(probability, 1e-300)) / max(characters, 1)


def _moved(edge: float | None, pixels: float, width: int) -> float | None:
    """An edge of a span, moved to the left; it stays on the image."""
    return edge if edge is None or not pixels else min(max(edge - pixels, 0.0), float(width))


def _beta(values: Any) -> Beta:
    if not isinstance(values, list) or len(values) != 3 or not all(map(_is_number, values)):
        raise _unknown(values)
    return Beta(*map(float, values))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _unknown(found: Any) -> RecipeError:
    return RecipeError(
        f"{found!r} is no calibration",
        allowed='{"kind": "none"}, or kind beta with line, character (three numbers each), least (a number or null), shift (a number)',
        next_step="calibrate the model again with `glyphlet calibrate`",
    )


__all__ = ["BOUND", "KINDS", "NEVER", "NOTHING", "Beta", "Calibration", "sureness"]
