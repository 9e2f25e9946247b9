import pytest

from glyphlet.charset import Charset
from glyphlet.decode.lexicon import lexicon_automaton
from glyphlet.errors import GlyphletError

LETTERS = Charset.from_text("abcé ")


def accepts(automaton, text):
    return automaton.accepts([LETTERS.index(char) + 1 for char in text])


def test_whole_lines(tmp_path):
    (tmp_path / "l.txt").write_bytes("\ufeffab\r\n\r\na b\nabc\nce\u0301\n".encode())
    found = lexicon_automaton(tmp_path / "l.txt", LETTERS)
    assert [t for t in ("", "a", "ab", "a b", "abc", "cé", "ab ab", "abcc") if accepts(found, t)] == [
        "ab",
        "a b",
        "abc",
        "cé",
    ]
    assert found.need[0] == 2


def test_words_with_single_spaces():
    found = lexicon_automaton(["a", "bb"], LETTERS, words=True)
    texts = ("a", "a bb", "bb a a", "", "a ", " a", "a  a", "abb", "b")
    assert [t for t in texts if accepts(found, t)] == ["a", "a bb", "bb a a"]


def test_what_the_model_cannot_write_is_left_out_and_counted():
    with pytest.warns(UserWarning, match=r"2 of 3 entries have characters that the model cannot write \('x' "):
        found = lexicon_automaton(["ax", "x", "a"], LETTERS)
    assert accepts(found, "a")


@pytest.mark.parametrize(
    ("entries", "words", "problem"),
    [
        ([], False, "holds no entry"), (["", "x"], False, "holds no entry that the model can write, of 1"),
        (["a b"], True, "has the entry 'a b', with a space"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(entries, words, problem):
    with pytest.raises(GlyphletError, match=problem):
        lexicon_automaton(entries, LETTERS, words)


def test_words_need_a_space():
    with pytest.raises(GlyphletError, match="the model has no space"):
        lexicon_automaton(["a"], Charset.from_text("a"), words=True)


def test_files_that_are_no_lexicon(tmp_path):
    (tmp_path / "l.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(GlyphletError, match=r"is not UTF-8 \(byte 0\)"):
        lexicon_automaton(tmp_path / "l.txt", LETTERS)
    with pytest.raises(GlyphletError, match="cannot be read"):
        lexicon_automaton(tmp_path / "none.txt", LETTERS)
