"""Words and characters stand on their ink."""

import numpy as np
import pytest

from glyphlet.decode.reading import Character, Reading
from glyphlet.pages.cut import cut
from glyphlet.pages.layout import layout_of
from glyphlet.pages.words import words_of


def one_part(page):
    layout = layout_of(page.pixels)
    (row,) = layout.blocks[0]
    return layout.view, cut(np.repeat(page.pixels[:, :, None], 3, 2), layout.view, row.parts[0])


def reading(text, spans):
    return Reading(text, 0.9, tuple(Character(c, 0.9, *span) for c, span in zip(text, spans, strict=True)), "", "")


def test_boxes_of_words_are_those_of_their_ink(sheet):
    page = sheet(600, 100).write(40, 60, "two words", 32)
    first, second = sheet(600, 100).write(40, 60, "two", 32), page.boxes[0]
    view, part = one_part(page)
    width = part.pixels.shape[1]
    spans = [(width * (i + 0.3) / 9, width * (i + 0.7) / 9) for i in range(9)]
    two, words = words_of(reading("two words", spans), part, view)
    assert (two.text, words.text) == ("two", "words")
    assert two.box == pytest.approx(first.boxes[0], abs=3)
    assert words.box[2:] == pytest.approx(second[2:], abs=3)
    assert words.box[0] > two.box[2]


def test_characters_fill_their_word_in_order(sheet):
    page = sheet(600, 100).write(40, 60, "abcd", 32)
    view, part = one_part(page)
    width = part.pixels.shape[1]
    (word,) = words_of(reading("abcd", [(width * i / 4, width * (i + 1) / 4) for i in range(4)]), part, view)
    edges = [character.box[0] for character in word.characters] + [word.characters[-1].box[2]]
    assert edges == sorted(edges)
    assert (edges[0], edges[-1]) == (word.box[0], word.box[2])
    assert [a.box[2] for a in word.characters[:-1]] == [b.box[0] for b in word.characters[1:]]


def test_without_spans_characters_are_spread_evenly(sheet):
    page = sheet(600, 100).write(40, 60, "mm mm", 32)
    view, part = one_part(page)
    one, two = words_of(reading("mm mm", [(None, None)] * 5), part, view)
    middle = (page.boxes[0][0] + page.boxes[0][2]) / 2
    assert one.box[2] < middle < two.box[0]


def test_spaces_at_the_ends_and_in_a_row_make_no_words(sheet):
    page = sheet(600, 100).write(40, 60, "a b", 32)
    view, part = one_part(page)
    found = words_of(reading(" a  b ", [(i * 10.0, i * 10.0 + 5) for i in range(6)]), part, view)
    assert [word.text for word in found] == ["a", "b"]
