"""The confusion matrix of characters, as numbers and as a table whose cells are shaded.

Rows are true characters, columns what was read, so the numbers of a row add up to how often the character stands in the
truths. One more row holds what was read where nothing stands, two more columns what was not read and all other characters.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from dataclasses import dataclass

from glyphlet.evaluate.report import Section, note_line, safe
from glyphlet.evaluate.scores import visible

MOST = 20
"""Characters in the matrix."""
_OTHERS = "others"


@dataclass(frozen=True)
class Matrix:
    """Counts of true and read characters.

    Args:
        rows: the true characters; the empty one stands for nothing, and comes last.
        columns: the read characters; the empty one stands for nothing, and comes last.
        counts: for each row, how often each column was read.
        others: for each row, how often a character was read that is no column.
        left_out: errors at true characters that are no row.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    others: tuple[int, ...]
    left_out: int


def matrix(pairs: Counter[tuple[str, str]], most: int = MOST) -> Matrix:
    """The counts of the characters with the most errors, in the order of their code points.

    Args:
        pairs: of true and read characters, from `aligned.tally`.
        most: how many characters.
    """
    errors = Counter[str]()
    for (truth, read), count in pairs.items():
        if truth != read:
            errors[truth] += count
            errors[read] += count
    errors.pop("", None)
    ranked = sorted(errors, key=lambda char: (-errors[char], char))[:most]
    chars = (*sorted(ranked), "")
    counts = tuple(tuple(pairs[truth, read] for read in chars) for truth in chars)
    totals = Counter[str]()
    for (truth, _), count in pairs.items():
        totals[truth] += count
    others = tuple(totals[truth] - sum(row) for truth, row in zip(chars, counts, strict=True))
    outside = sum(count for (truth, read), count in pairs.items() if truth != read and truth not in chars)
    return Matrix(chars, chars, counts, others, outside)


def matrix_section(pairs: Counter[tuple[str, str]], title: str = "Confusion matrix", most: int = MOST) -> Section:
    """The matrix as a table; every cell says what it counts."""
    found = matrix(pairs, most)
    if len(found.rows) == 1:
        return Section(title, note_line("No character was confused."))
    note = (
        f"Rows: the truth; columns: what was read. The {len(found.rows) - 1} characters with the most errors, in the order of "
        "their code points. missing: was not read. extra: was read where nothing stands. A space is shown as ·. The shade of "
        "a wrong cell grows with its number (logarithmically)."
    )
    if found.left_out:
        note += f" {found.left_out:,} errors at other characters are not in the table."
    most_wrong = max(*(n for i, row in enumerate(found.counts) for k, n in enumerate(row) if i != k), *found.others, 1)
    head = "".join(f'<th scope="col"{_spoken(char)}>{safe(_sign(char, "missing"))}</th>' for char in found.columns)
    body = "".join(_row(found, number, most_wrong) for number in range(len(found.rows)))
    table = (
        '<table class="signs matrix"><caption class="unseen">Confusion matrix of characters</caption><thead><tr>'
        f'<th scope="col">truth</th>{head}<th scope="col">{_OTHERS}</th></tr></thead><tbody>{body}</tbody></table>'
    )
    return Section(title, note_line(note) + f'<div class="card wide fit" tabindex="0">{table}</div>')


def _row(found: Matrix, number: int, most: int) -> str:
    truth = found.rows[number]
    cells = [_cell(truth, read, n, most) for read, n in zip(found.columns, found.counts[number], strict=True)]
    cells.append(_cell(truth, _OTHERS, found.others[number], most))
    return f'<tr><th scope="row"{_spoken(truth)}>{safe(_sign(truth, "extra"))}</th>{"".join(cells)}</tr>'


def _cell(truth: str, read: str, count: int, most: int) -> str:
    if not count:
        return "<td></td>"
    said = safe(f"{_sign(truth, 'nothing')} read as {_sign(read, 'nothing') if read != _OTHERS else read}: {count:,}")
    if truth == read:
        return f'<td class="hit" title="{said}">{count:,}</td>'
    shade = 100 * (0.15 + 0.6 * math.log1p(count) / math.log1p(most))
    return f'<td class="miss" style="--shade:{shade:.0f}%" title="{said}">{count:,}</td>'


def _sign(char: str, none: str) -> str:
    return visible(char) if char else none


def _spoken(char: str) -> str:
    """The name of a character as an attribute, for those who cannot tell l, I and 1 apart."""
    if not char:
        return ""
    name = unicodedata.name(char, "")
    return f' title="{safe(f"U+{ord(char):04X} {name}".strip())}"'


__all__ = ["Matrix", "matrix", "matrix_section"]
