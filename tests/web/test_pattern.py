"""The page's decoders against Python's, on the same logits: greedy, and under patterns."""

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from glyphlet import Decoding, GlyphletError
from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.decode.greedy import decode
from glyphlet.decode.named import NAMED
from glyphlet.image import Line
from glyphlet.web import PAGE

HERE = Path(__file__).parent
DIGITS = Charset.from_text("0123456789 .,-/:")
LETTERS = Charset.from_text("abcABC012 ²ß_中")
UPPER = Charset.from_text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<- ")
LOWER = Charset.from_text("0123456789abcdefghijklmnopqrstuvwxyz", True, "lower")
PATTERNS = (
    (DIGITS, (None, r"\d+", r"\d{2,4}([.,]\d{2})?", r"[^.,]*", "11|12|13|.{9}", r"(?:1|12|123)+", "date", "luhn", r"\s?", r"0*?1+")),
    (LETTERS, (None, "[A-C]+", r"\w+", r"\W*", r"\D{3}", r"\S\s\S", "a(b|c)?A{2}", r"\x41|B.*", r"中?[^a-c]{2,}", "aaaa", "^a|b$")),
    (UPPER, (None, "iso6346", "mrz-td3", "mrz-td2", "mrz-td1-number", "mrz-td1-dates", "mrz-td3-names", "iban", "luhn", r"[A-Z]{3}-?\d{3}")),
    (LOWER, ("[A-Z]{2}", "ＡＢ|[ａ-ｚ]1", "iso6346")),
)  # fmt: skip


def logits_of(rng, steps, classes, sharpness):
    """Noise in which a few steps are sure of the blank, as those of a trained model are."""
    values = rng.normal(size=(steps, classes)).astype(np.float32) * sharpness
    values[rng.random(steps) < 0.4, 0] += 12
    return values


@functools.cache
def python_decoder(pattern, charset):
    return decode if pattern is None else Decoding(pattern=pattern).for_codec(CTCCodec(charset))


def python_reads(pattern, charset, logits):
    line = Line(np.zeros((1, 8, 4 * len(logits)), np.uint8), 4 * len(logits), 8 * len(logits))
    return python_decoder(pattern, charset)(logits[None], CTCCodec(charset), [line], 4, ["line"])[0]


@pytest.mark.parametrize(("charset", "patterns"), PATTERNS, ids=["digits", "letters", "upper", "lower"])
def test_readings_are_those_of_python(node, tmp_path, charset, patterns):
    rng = np.random.default_rng(len(patterns))
    cases = []
    for pattern in patterns:
        for number in range(6 if charset is UPPER else 12):
            steps = int(rng.integers(1, 70 if charset is UPPER else 24))
            cases.append((pattern, logits_of(rng, steps, charset.size + 1, (0.5, 2, 6)[number % 3])))
    path = tmp_path / "cases.json"
    about = charset.to_dict()
    path.write_text(json.dumps([{"pattern": p, "charset": about, "logits": v.tolist()} for p, v in cases]))
    for (pattern, values), found in zip(cases, node(HERE / "node_pattern.mjs", PAGE, path), strict=True):
        expected = python_reads(pattern, charset, values)
        assert (found["text"], found.get("reason", "")) == (expected.text, expected.reason), pattern
        assert found["raw"] == expected.raw
        assert found["confidence"] == pytest.approx(expected.confidence, rel=1e-4)
        for one, other in zip(expected.characters, found["characters"], strict=True):
            assert (other["char"], other["left"], other["right"]) == (one.char, one.left, one.right)
            assert other["confidence"] == pytest.approx(one.confidence, rel=1e-4)


WRONG = (
    "[a", "(a", "a)", "a{", "a{3,2}", "a{2}{3}", "*a", "a++", "a^b", "(?=a)", r"\bq", r"\1", "a\\", r"\u12", "[z-a]", r"[\d-z]", "(?<n>a)",
    "x{30000}", "q", "é+",
)  # fmt: skip


def test_what_is_wrong_with_a_pattern_is_told_as_python_tells_it(node, tmp_path):
    path = tmp_path / "wrong.json"
    charset = Charset.from_text("abc")
    steps = np.zeros((9, 4)).tolist()
    path.write_text(json.dumps([{"pattern": p, "charset": charset.to_dict(), "logits": steps} for p in WRONG]))
    for pattern, found in zip(WRONG, node(HERE / "node_pattern.mjs", PAGE, path), strict=True):
        with pytest.raises(GlyphletError) as caught:
            Decoding(pattern=pattern).for_codec(CTCCodec(charset))
        assert found["about"] == "pattern"
        without_names = re.sub(r" \(U\+[^)]*\)", "", caught.value.problem)  # JavaScript does not know them
        assert found["error"].partition(". Allowed")[0] == without_names


def test_every_named_pattern_is_offered():
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    for name in NAMED:
        assert f'<option value="{name}">' in page
        assert f"<code>{name}</code>" in page
