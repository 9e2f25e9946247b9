"""What fonts can draw of a charset: covered, missing and blank characters, font by font."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError
from glyphlet.synth.fonts import SUFFIXES, Face, Probe, find_faces, needs_shaping

EXAMPLES = 20


@dataclass(frozen=True)
class FontAudit:
    """What one font can draw.

    Args:
        font: its file.
        error: why it is no usable font; empty when it is one.
        covered: how many characters have a glyph of their own with ink (or, for spaces, a width).
        missing: characters that the font draws as `.notdef`, the box of unknown characters.
        blank: characters that it draws as nothing.
        unshaped: characters that need shaping, which is not asked for.
    """

    font: str
    error: str = ""
    covered: int = 0
    missing: str = ""
    blank: str = ""
    unshaped: str = ""

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON; missing and blank characters in full."""
        return {
            "font": self.font,
            "usable": not self.error,
            **({"error": self.error} if self.error else {}),
            "covered": self.covered,
            "missing": {"count": len(self.missing), "characters": self.missing},
            "blank": {"count": len(self.blank), "characters": self.blank},
            "needs_shaping": {"count": len(self.unshaped), "characters": self.unshaped},
        }


def audit(fonts: Sequence[str], charset: Charset, *, shaping: bool = False) -> list[FontAudit]:
    """Look at every character of a charset in every font.

    A file that is no font is reported, not refused; a path that does not exist, or a folder without fonts, is refused.

    Args:
        fonts: files and folders, as `SynthSpec.fonts`.
        charset: the characters.
        shaping: whether words may be shaped.

    Raises:
        GlyphletError: a path is wrong.
    """
    faces = dict.fromkeys(face for entry in fonts or [""] for face in _faces(entry))
    return [_audit_face(face, charset, shaping) if isinstance(face, Face) else face for face in faces]


def _faces(entry: str) -> list[Face | FontAudit]:
    folder = Path(entry)
    if not entry or not folder.is_dir():
        return _checked([entry] if entry else [])
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    return [face for path in paths for face in _checked([str(path)])] or list(find_faces([entry]))


def _checked(fonts: list[str]) -> list[Face | FontAudit]:
    try:
        return list(find_faces(fonts))
    except GlyphletError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise
        return [FontAudit(fonts[0], error=error.problem)]


def _audit_face(face: Face, charset: Charset, shaping: bool) -> FontAudit:
    try:
        probe = Probe(face)
        states = {c: probe.state(c) for c in charset.characters}
    except GlyphletError as error:
        return FontAudit(str(face), error=error.problem)
    unshaped = [c for c, state in states.items() if state == "covered" and not shaping and needs_shaping(c)]
    covered = sum(state == "covered" for state in states.values()) - len(unshaped)
    missing, blank = ("".join(c for c, s in states.items() if s == kind) for kind in ("missing", "blank"))
    return FontAudit(str(face), "", covered, missing, blank, "".join(unshaped))


def never_covered(audits: Sequence[FontAudit], charset: Charset) -> str:
    """The characters that no font covers, in the order of the charset."""
    usable = [a for a in audits if not a.error]
    lacking = Counter(c for a in usable for c in a.missing + a.blank + a.unshaped)
    return "".join(c for c in charset.characters if lacking[c] == len(usable))


def examples(characters: str) -> str:
    """A few characters, for a table."""
    shown = " ".join(c if c.isprintable() and not c.isspace() else f"U+{ord(c):04X}" for c in characters[:EXAMPLES])
    return shown + (" ..." if len(characters) > EXAMPLES else "")
