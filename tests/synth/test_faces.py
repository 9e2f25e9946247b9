from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from glyphlet.charset import Charset
from glyphlet.spec import SynthSpec
from glyphlet.synth.corpus import open_corpus
from glyphlet.synth.faces import Coverage, assign
from glyphlet.synth.fonts import Face

A, B, C = Face("a.ttf"), Face("b.ttf"), Face("c.ttf")


@given(st.lists(st.frozensets(st.sampled_from("abc é"))), st.text("abc éx", max_size=6))
def test_the_faces_of_a_text_are_those_that_have_all_of_it(known, text):
    covered = {Face(f"{number}.ttf"): characters for number, characters in enumerate(known)}
    assert Coverage(covered).of(text) == [face for face, own in covered.items() if own.issuperset(text)]


def test_one_font_where_one_is_enough():
    covered = {A: frozenset("ab "), B: frozenset("abcd "), C: frozenset("cd")}
    assert {assign("ab cd", covered, random.Random(i)) for i in range(50)} == {B}
    assert {assign("ab", covered, random.Random(i)) for i in range(50)} == {A, B}


def test_runs_of_several_fonts_and_spaces_with_what_stands_before():
    covered = {A: frozenset("abc "), B: frozenset("中文 ")}
    assert assign("ab 中文 c", covered, random.Random(1)) == (A, A, A, B, B, B, A)


def test_no_more_fonts_than_needed():
    covered = {A: frozenset("a"), B: frozenset("b"), C: frozenset("ab")}
    for i in range(30):
        faces = assign("abab", covered, random.Random(i))
        assert faces == C


def test_what_no_font_has():
    assert assign("ax", {A: frozenset("a")}, random.Random(1)) is None
    assert assign("a b", {A: frozenset("ab")}, random.Random(1)) is None


@given(st.text("abcd ", min_size=1, max_size=8), st.integers(0, 99))
def test_every_character_is_covered_by_its_font(text: str, seed: int):
    covered = {A: frozenset("ab "), B: frozenset("bc"), C: frozenset("d")}
    faces = assign(text, covered, random.Random(seed))
    each = (faces,) * len(text) if isinstance(faces, Face) else faces
    assert each is not None
    assert all(char in covered[face] for char, face in zip(text, each, strict=True))


def test_mixed_fonts_in_a_corpus():
    spec = SynthSpec.model_validate(
        {"mixed_fonts": True, "text": "mix", "texts": [{"kind": "pattern", "pattern": "a[中文]b"}]}
    )
    charset = Charset.from_text("ab中文")
    corpus = open_corpus(spec, charset, {A: frozenset("ab"), B: frozenset("中文")})
    assert {corpus.draw(random.Random(i))[1] for i in range(20)} == {(A, B, A)}
