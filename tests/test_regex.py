"""The tree of a pattern; what the patterns mean is tested where texts are drawn and where they are read."""

import pytest

from glyphlet.errors import RecipeError
from glyphlet.regex import Chars, Choice, Repeat, Series, parse


def test_the_tree_by_hand():
    tree = parse(r"^a|[bc]{2,}(\d|)$", "0a")
    digits = Choice((Chars(tuple("0123456789"), 12), Series(())))
    assert tree == Choice((Chars(("a",), 1), Series((Repeat(Chars(("b", "c"), 3), 2, None, 3), digits))))


def test_a_character_stands_once_in_a_class():
    assert parse("[abab-c]", "") == Chars(("a", "b", "c"), 0)


def test_what_any_character_is():
    assert parse(".", "a b") == Chars(("a", " ", "b"), 0)
    assert parse(".", "a b", spaces=False) == Chars(("a", "b"), 0)
    assert parse("[^a]", "a b") == Chars((" ", "b"), 0)
    assert parse(r"\D", "a 1", spaces=False) == Chars(("a", " "), 0)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("a(?=b)", "character 2.*a lookahead"), ("(?!b)", "a negative lookahead"), ("(?<=b)", "a lookbehind"),
        ("(?<!b)", "a negative lookbehind"), (r"(a)\1", "character 4.*a backreference"), ("(?P=x)", "a backreference"),
        (r"\bx", "a word boundary"), ("(?i)x", "an extension"), (r"\p", "a Unicode property"), ("(?>a)", "an atomic group"),
        (r"\q", "an escape"), ("(?#c)", "a comment"), ("(?(1)a)", "a condition"), (r"\A", "an anchor"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_called_by_its_name(pattern, name):
    with pytest.raises(RecipeError, match=name):
        parse(pattern, "abx")
