from __future__ import annotations

import random
import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.errors import RecipeError
from glyphlet.synth.pattern import compile_pattern

ALL = string.printable[:95] + "äé中文"


def drawn(pattern: str, characters: str = ALL, count: int = 300, max_repeat: int = 8) -> list[str]:
    sampler = compile_pattern(pattern, characters, max_repeat)
    return [sampler(random.Random(i)) for i in range(count)]


@pytest.mark.parametrize(
    "pattern",
    [
        r"[A-Z]{2}\d{6}", r"(foo|ba[rz])+-?\w*", r"^\d{1,3}(\.\d{2})?$", r"[^a-z]{2,}", r"[]a-]+\]", r"a||b", r"x*?y+?z??",
        r"\u4e2d(?:x|)(?P<name>y){,2}", r"\x41\.\\\{", r"[\d\-.]+", r"\D\W\S", r"(^a", r".{3}", r"",
    ],
)  # fmt: skip
def test_every_text_is_matched_by_the_expression(pattern: str):
    if pattern in ("(^a",):
        with pytest.raises(RecipeError):
            compile_pattern(pattern, ALL)
        return
    assert all(re.fullmatch(pattern, text) for text in drawn(pattern))


def test_plates_by_hand():
    texts = drawn(r"[A-C]{2}\d{3}")
    assert {len(text) for text in texts} == {5}
    assert set("".join(text[:2] for text in texts)) == set("ABC")
    assert set("".join(text[2:] for text in texts)) == set(string.digits)


def test_alternatives_characters_and_repeats_have_the_same_chance():
    counts = Counter(drawn("(a|bbb|cc)", count=3000))
    assert set(counts) == {"a", "bbb", "cc"}
    assert all(850 < n < 1150 for n in counts.values())
    lengths = Counter(len(text) for text in drawn("x{2,5}", count=2000))
    assert set(lengths) == {2, 3, 4, 5}
    assert all(400 < n < 600 for n in lengths.values())


def test_what_has_no_bound_is_capped():
    assert {len(text) for text in drawn("a*", max_repeat=3)} == {0, 1, 2, 3}
    assert {len(text) for text in drawn("a+", max_repeat=3)} == {1, 2, 3}
    assert {len(text) for text in drawn("a{5,}", max_repeat=3)} == {5}


def test_classes_are_cut_down_to_what_may_occur():
    assert set("".join(drawn("[A-Z]{4}", "AXa7"))) == {"A", "X"}
    assert set("".join(drawn(".{4}", "AX 7"))) == {"A", "X", "7"}
    assert set("".join(drawn(r"[^\d]{4}", "AX 7"))) == {"A", "X"}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("ab(c", r"character 3: a '\(' without its '\)'"),
        ("a)", r"character 2: a '\)' without"),
        ("xx[a", r"character 3: a '\[' without"),
        (r"a\1", r"character 2: '\\1' is not supported"),
        ("(?=a)", r"character 1: '\(\?=a' is not supported"),
        ("(?i)a", r"character 1: .* not supported"),
        (r"\bword", r"character 1: '\\b' is not supported"),
        ("a**", "character 3: a repeat of a repeat"),
        ("a++", "character 3: a possessive repeat"),
        ("{2}", "character 1: a repeat of nothing"),
        ("a{3,1}", "character 2: a repeat from 3 to 1"),
        ("a{x}", "character 2: a '{' that is no repeat"),
        ("a{", "character 2: a '{' that is no repeat"),
        ("[z-a]", "character 2: 'z-a' is no range"),
        ("x\\", r"character 2: a '\\' at the end"),
        (r"\u12", "character 1: .* 4 hexadecimal digits"),
        ("a^b", "character 2: .* inside"),
        ("ü", r"character 1: 'ü' \(U\+00FC .*cannot be drawn"),
        ("x[α-ω]", "character 2: no character of this class can be drawn"),
        ("(a{500}){500}", "up to 250000 characters"),
        ("a{999}b{2}", "texts of up to 1001 characters"),
        ("(" * 60 + ")" * 60, "more than 50 groups"),
    ],
)
def test_what_is_not_supported_is_named_with_its_place(pattern: str, message: str):
    with pytest.raises(RecipeError, match=message):
        compile_pattern(pattern, ALL)


@given(st.text(alphabet=r"ab1.\dw[]^-(|)?*+{2,}$", max_size=12))
def test_any_pattern_is_refused_or_gives_what_it_matches(pattern: str):
    try:
        sampler = compile_pattern(pattern, "ab1.-dw", 3)
    except RecipeError:
        return
    text = sampler(random.Random(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *a, **k: None)
        assert re.fullmatch(pattern, text), (pattern, text)
