import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec, Run, min_steps
from glyphlet.errors import CharsetError

DIGITS = CTCCodec(Charset.named("digits"))


def test_the_blank_is_class_0():
    assert DIGITS.classes == 11
    assert DIGITS.encode("09") == [1, 10]
    assert DIGITS.decode([0, 0, 0]) == ""


@pytest.mark.parametrize(
    ("path", "text", "raw"),
    [
        ([], "", ""),
        ([1, 1, 1], "0", "000"),
        ([1, 0, 1], "00", "0_0"),
        ([0, 2, 2, 0, 3, 4, 4], "123", "_11_233"),
    ],
)
def test_paths_collapse(path, text, raw):
    assert DIGITS.decode(path) == text
    assert DIGITS.raw(path) == raw


def test_runs_give_the_steps_of_each_character():
    assert DIGITS.runs([0, 2, 2, 0, 3, 4]) == [Run(2, 1, 3), Run(3, 4, 5), Run(4, 5, 6)]


def test_the_blank_sign_is_never_a_character():
    assert CTCCodec(Charset.from_text("ab_")).raw([0, 3]) == "-_"
    assert CTCCodec(Charset.from_text("_-")).raw([0, 1, 2]) == "·_-"


def test_an_unknown_character_is_named_with_its_place():
    with pytest.raises(CharsetError, match=r"'x' \(U\+0078 .*\) at position 1 of '1x'"):
        DIGITS.encode("1x")


@given(st.text(alphabet="abé 好Ａ", max_size=12))
def test_round_trip(text):
    """A text spread over time with a blank between its characters reads as itself."""
    codec = CTCCodec(Charset.from_labels(["abé 好Ａ"]))
    path = [c for label in codec.encode(text) for c in (0, label, label)]
    assert codec.decode(path) == text


@given(st.lists(st.integers(1, 3), max_size=8))
def test_min_steps_is_the_shortest_path_that_gives_the_labels(labels):
    shortest = []
    for label in labels:
        if shortest and shortest[-1] == label:
            shortest.append(0)
        shortest.append(label)
    assert [run.label for run in DIGITS.runs(shortest)] == labels
    assert min_steps(labels) == len(shortest)
