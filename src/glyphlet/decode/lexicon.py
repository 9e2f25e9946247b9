"""A list of the lines that there can be, as an automaton: a tree of letters (Fredkin 1960, "Trie memory").

Entries are put into the normal form of the model's charset. Those with characters outside it cannot be read and are left
out, with a warning that counts them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from glyphlet.charset import Charset, describe
from glyphlet.decode.automaton import Automaton, automaton
from glyphlet.decode.textfile import text_lines
from glyphlet.errors import GlyphletError

SPACE = " "


def lexicon_automaton(lexicon: str | Path | Sequence[str], charset: Charset, words: bool = False) -> Automaton:
    """The automaton of a lexicon.

    Args:
        lexicon: a UTF-8 file with one entry a line, or the entries; empty ones do not count.
        charset: the characters of the model.
        words: a line is one or more entries with single spaces between them; otherwise it is one entry.

    Raises:
        GlyphletError: the file cannot be read, or holds no entry that the model can write; or, with `words`, an entry has a
            space, or the model has none.

    >>> found = lexicon_automaton(["ab", "b"], Charset.from_text("ab "), words=True)
    >>> [found.accepts(labels) for labels in ([1, 2], [2, 3, 1, 2], [1], [2, 3])]
    [True, True, False, False]
    """
    where = f"the lexicon {lexicon}" if isinstance(lexicon, str | Path) else "the lexicon"
    entries: Sequence[str] = lexicon if not isinstance(lexicon, str | Path) else ()
    if isinstance(lexicon, str | Path):
        entries = text_lines(Path(lexicon), "the lexicon", "a UTF-8 text file with one entry a line")
    usable = _usable(entries, charset, where)
    if words:
        _check_words(usable, charset, where)
    moves: list[dict[int, int]] = [{}]
    accepting = [False]
    for entry in usable:
        state = 0
        for char in entry:
            label = charset.index(char)  # groups are numbered as characters are: each is its own
            if label not in moves[state]:
                moves[state][label] = len(moves)
                moves.append({})
                accepting.append(False)
            state = moves[state][label]
        accepting[state] = True
    if words:
        for of in (of for of, end in zip(moves, accepting, strict=True) if end):
            of[charset.index(SPACE)] = 0
    return automaton([(label + 1,) for label in range(charset.size)], moves, accepting)


def _usable(entries: Iterable[str], charset: Charset, where: str) -> list[str]:
    """The entries that the model can write, in order, none twice."""
    normal = list(dict.fromkeys(charset.normalize(entry) for entry in entries if entry))
    usable = [entry for entry in normal if all(char in charset for char in entry)]
    unknown = charset.unknown(normal)
    if not usable:
        problem = "holds no entry" if not normal else f"holds no entry that the model can write, of {len(normal)}"
        raise GlyphletError(
            f"{where} {problem}",
            allowed="one entry a line, in characters of the model",
            next_step="correct the lexicon",
        )
    if len(usable) < len(normal):
        warnings.warn(
            f"{where}: {len(normal) - len(usable)} of {len(normal)} entries have characters that the model cannot write "
            f"({', '.join(describe(char) for char, _ in unknown.most_common(3))}); they are never read",
            stacklevel=4,
        )
    return usable


def _check_words(entries: Sequence[str], charset: Charset, where: str) -> None:
    spaced = next((entry for entry in entries if SPACE in entry), None)
    if spaced is not None or SPACE not in charset:
        raise GlyphletError(
            f"{where} has the entry {spaced!r}, with a space"
            if spaced
            else f"{where} is for words, but the model has no space",
            allowed="entries without spaces, and a model that writes spaces, where lines are words of a lexicon",
            next_step="leave out the option for words: a line is then one entry",
        )


__all__ = ["lexicon_automaton"]
