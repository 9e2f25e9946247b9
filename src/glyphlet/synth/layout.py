"""Where the pieces of a line stand, how large its image is, and the box of each character.

Measures in `pitch` spacing are those of MicroOCR for its 25 pixel font, scaled for other sizes: a character every 30
pixels on an image 30 pixels high, the first one 10 to 12 from the left, the em square 1 to 3 from the top. Where a
wide or deep glyph would leave the image, the whole line moves just far enough. In `proportional` spacing the pen
moves by the advance and the kerning of the font, inside random margins. Either way no glyph is cut.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from glyphlet.synth.fonts import Glyph
from glyphlet.synth.letters import Letters, Piece
from glyphlet.synth.looks.style import Style
from glyphlet.synth.strike import Cut, Strike

Box = tuple[int, int, int, int]

_EM = 25  # the font size for which the measures below are given, in pixels
_PITCH = 30
_ASCENT = 0.86  # from the top of the em square to the baseline, as in SimSun and most Chinese fonts


@dataclass(slots=True)
class Setting:
    """The pieces of a line in place.

    Args:
        glyphs: what is drawn.
        xs, ys: the pen of each piece, in pixels; `frame` moves them from the start of the baseline into the image.
        rims: the same glyphs with their outline; empty without one.
        length: of the straight baseline, in pixels.
        width, height: of the image.
    """

    glyphs: list[Glyph]
    xs: list[int]
    ys: list[int]
    rims: list[Glyph]
    length: float
    width: int = 0
    height: int = 0
    left: int = 0
    baseline: int = 0

    def boxes(self) -> list[Box]:
        """The ink of each piece, with its outline."""
        return [box(g, x, y) for g, x, y in zip(self.rims or self.glyphs, self.xs, self.ys, strict=True)]


def box(drawn: Glyph, x: int, y: int) -> Box:
    """The ink of a glyph whose pen is at a place; a space has a box without area."""
    left, top = x + drawn.left, y + drawn.top
    if drawn.mask is None:
        return left, top, left, top
    height, width = drawn.mask.shape
    return left, top, left + width, top + height


def plain(strike: Strike, text: str, pitch: bool) -> Setting:
    """A text in one strike, on a straight baseline from (0, 0)."""
    glyphs = [strike.glyph(char) for char in text]
    if pitch:
        step = _pitch(glyphs, strike.size)
        return Setting(glyphs, [step * i for i in range(len(glyphs))], [0] * len(glyphs), [], step * len(glyphs))
    xs: list[int] = []
    pen = 0.0
    for i, drawn in enumerate(glyphs):
        xs.append(round(pen))
        pen += drawn.advance + (strike.kerning(text[i : i + 2]) if i + 1 < len(text) else 0)
    return Setting(glyphs, xs, [0] * len(glyphs), [], pen)


def _pitch(glyphs: Sequence[Glyph], size: int) -> int:
    widths = [g.mask.shape[1] + 1 for g in glyphs if g.mask is not None]
    return int(max(round(_PITCH * size / _EM), *widths))


def styled(letters: Letters, pieces: Sequence[Piece], size: int, style: Style, pitch: bool) -> Setting:
    """Pieces in a style, on a baseline that starts at (0, 0) and may be curved."""
    count = len(pieces)
    sizes = [max(4, round(size * s)) for s in style.scale] if style.scale else [size] * count
    steps = _steps(letters, pieces, sizes, size, style, pitch)
    length = sum(steps)
    glyphs, rims, xs, ys = [], [], [], []
    bold = round(4 * style.bold * size)
    rim = max(2, round(4 * style.outline * size)) if style.outline else 0
    pen = 0.0
    for i, piece in enumerate(pieces):
        width = steps[i] - (style.tracking[i] * size if style.tracking else 0)
        x, y, angle = place(style, pen + width / 2, length, size)
        turn = angle + (style.turn[i] if style.turn else 0)
        lean = round(style.slant + (style.lean[i] if style.lean else 0))
        glyphs.append(letters.glyph(piece, sizes[i], Cut(bold, lean, round(turn))))
        if rim:
            rims.append(letters.glyph(piece, sizes[i], Cut(bold + rim, lean, round(turn))))
        cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        lift = style.lift[i] * size if style.lift else 0.0
        xs.append(round(x - cosine * width / 2 + sine * lift))
        ys.append(round(y - sine * width / 2 - cosine * lift))
        pen += steps[i]
    return Setting(glyphs, xs, ys, rims, length)


def _steps(
    letters: Letters, pieces: Sequence[Piece], sizes: Sequence[int], size: int, style: Style, pitch: bool
) -> list[float]:
    """How far the pen moves after each piece."""
    rest = 2 * style.bold * size
    advances = [letters.advance(piece, s) + rest for piece, s in zip(pieces, sizes, strict=True)]
    if pitch:
        step = max(round(_PITCH * size / _EM), *(math.ceil(a) + 1 for a in advances))
        return [step + t * size for t in style.tracking] if style.tracking else [float(step)] * len(pieces)
    for i in range(len(pieces) - 1):
        if sizes[i] == sizes[i + 1]:
            advances[i] += letters.kerning(pieces[i], pieces[i + 1], sizes[i])
    if style.tracking:  # letters may come close, but a piece never stands before the one on its left
        advances = [max(a * 0.4, a + t * size) for a, t in zip(advances, style.tracking, strict=True)]
    return advances


def place(style: Style, at: float, length: float, size: int) -> tuple[float, float, float]:
    """A place on the baseline, in pixels, and its direction in degrees."""
    if style.curve is None:
        return at, 0.0, 0.0
    x, y, angle = style.curve(at / size, length / size)
    return x * size, y * size, angle


def frame(
    setting: Setting,
    size: int,
    pitch: bool,
    margins: tuple[float, float] | None,
    room: Box,
    rng: random.Random,
) -> None:
    """Choose the size of the image and move the pieces into it.

    Args:
        setting: what is moved.
        size: of the font.
        pitch: fixed spacing.
        margins: as `SynthSpec.margins`.
        room: what is drawn beyond the pieces (shadow, underline): a box around all of it, pieces included.
        rng: where the random numbers come from.
    """
    if pitch:
        dx, dy = _frame_pitch(setting, size, room, rng)
    elif margins is None:
        dx, dy = _frame_line(setting, size, room, rng)
    else:
        low, high = (m * size for m in margins)
        left, right, above, below = (round(rng.uniform(low, high)) for _ in range(4))
        setting.width, setting.height = left + room[2] - room[0] + right, above + room[3] - room[1] + below
        dx, dy = left - room[0], above - room[1]
    setting.xs = [x + dx for x in setting.xs]
    setting.ys = [y + dy for y in setting.ys]
    setting.left, setting.baseline = dx, dy


def extent(boxes: Sequence[Box]) -> Box:
    """The box around all boxes with ink."""
    inked = [b for b in boxes if b[2] > b[0]]
    if not inked:
        return 0, 0, 1, 1
    lefts, tops, rights, bottoms = zip(*inked, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _inside(start: int, stop: int, room: int) -> int:
    """How far `start..stop` must move to lie in `0..room`."""
    return min(0, room - stop) + max(0, -start - min(0, room - stop))


def _frame_pitch(setting: Setting, size: int, room: Box, rng: random.Random) -> tuple[int, int]:
    """The image grows for glyphs that are larger than their cell."""
    scale = size / _EM
    left, top = round(rng.randint(10, 12) * scale), round(rng.randint(1, 3) * scale)
    x0, y0, x1, y1 = room
    setting.width = max(round(setting.length), x1 - x0)
    setting.height = max(round(_PITCH * scale), y1 - y0)
    baseline = top + round(_ASCENT * size)
    dx = left + _inside(x0 + left, x1 + left, setting.width)
    return dx, baseline + _inside(y0 + baseline, y1 + baseline, setting.height)


def _frame_line(setting: Setting, size: int, room: Box, rng: random.Random) -> tuple[int, int]:
    """The text inside random margins: up to half an em at the sides, up to a quarter above and below."""
    x0, y0, x1, y1 = room
    ascent = round(_ASCENT * size)
    y0, y1 = min(y0, -ascent), max(y1, size - ascent)
    left, right = rng.randint(1, max(1, size // 2)), rng.randint(1, max(1, size // 2))
    above, below = rng.randint(1, max(1, size // 4)), rng.randint(1, max(1, size // 4))
    setting.width, setting.height = left + x1 - x0 + right, above + y1 - y0 + below
    return left - x0, above - y0
