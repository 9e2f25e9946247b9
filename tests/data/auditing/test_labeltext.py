"""Labels: what is wrong with a text, and the text without it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.data.auditing.labeltext import SPACES, cleaned, look_alikes, problems, shown, variants

# Texts in which something is wrong more often than not.
TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from(" \t\u00a0\u200b\u200d\ufeff\u0301\u3000e\u05d0\u0915\ufffd"))
)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("plain text", []),
        ("日本語、ok", []),
        (" a", ["edge_space"]),
        ("a ", ["edge_space"]),
        ("a  b", ["double_space"]),
        ("a\u00a0b", ["odd_space"]),
        ("a\u3000", ["edge_space", "odd_space"]),
        ("a\tb", ["control"]),
        ("a\u2028b", ["control"]),
        ("\ufeffab", ["zero_width"]),
        ("a\u200bb", ["zero_width"]),
        ("a\u202eb", ["zero_width"]),
        ("a\ufffdb", ["replacement"]),
        ("cafe\u0301", ["not_nfc"]),
        ("\u0915\u094d\u200d\u0937", []),  # a joiner between Devanagari letters is spelling
        ("a\u200db", ["zero_width"]),
    ],
)
def test_kinds_of_trouble(text, kinds):
    assert [kind for kind, _ in problems(text)] == kinds


def test_details_name_the_character_and_where_it_stands():
    assert dict(problems("cafe\u0301 \u00a0x ")) == {
        "edge_space": "at the end",
        "odd_space": "U+00A0 NO-BREAK SPACE at 7",
        "not_nfc": "U+0065 U+0301 becomes é U+00E9",
    }


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  a   b ", "a b"),
        ("a\u00a0\u2003b", "a b"),
        ("a\tb\r\n", "a b"),
        ("\ufeffa\u200bb\u00ad", "ab"),
        ("e\u0301", "é"),
        ("a\u0007b", "ab"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        ("a\ufffd", "a\ufffd"),  # what stood there is not known
        (" \u00a0 ", ""),
    ],
)
def test_cleaning(text, clean):
    assert cleaned(text) == clean


@given(TEXTS)
def test_a_cleaned_text_is_clean_and_stays_as_it_is(text):
    clean = cleaned(text)
    assert cleaned(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert {kind for kind, _ in problems(clean)} <= {"replacement"}
    assert not set(clean) & SPACES


@given(TEXTS)
def test_what_is_shown_can_be_seen(text):
    assert shown(text).isprintable()
    assert not shown(text).startswith(" ")


def test_shown_marks_only_what_matters():
    assert shown("a b") == "a b"
    assert shown(" a  b\u200b") == "·a··b[U+200B]"
    assert shown("   ") == "···"


def test_letters_of_another_script_among_latin_ones():
    assert look_alikes("p\u0430y").startswith("а U+0430 CYRILLIC")
    assert look_alikes("\u0391BC").startswith("Α U+0391 GREEK")
    assert look_alikes("ab\uff11").startswith("１ U+FF11")
    for fine in ("pay", "мама", "α β", "Ünïcode", "价格：１".replace("１", "1"), "x = \u03b1"):
        assert look_alikes(fine) == ""


def test_variants_are_signs_written_in_several_ways():
    assert variants({"-": 2, "\u2013": 5, "a": 9}) == [[("\u2013", 5), ("-", 2)]]
    assert variants({"\u2018": 3, "\u2019": 3}) == []  # an opening and a closing one
    assert variants({",": 1, "\uff0c": 1}) == [[(",", 1), ("\uff0c", 1)]]
