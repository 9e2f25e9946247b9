"""Combinations and presets: how often what happens, and in which order."""

import math
from collections import Counter

import numpy as np
import pytest

from glyphlet.effects import EFFECTS
from glyphlet.effects.presets import PRESETS

LINE = np.full((1, 32, 40), 100, np.uint8)


@pytest.fixture
def spy(monkeypatch):
    """Replaces effects by ones that only note their name; returns the notes."""
    notes = []

    def watch(*names):
        for name in names:

            def builder(*, _name=name, **options):
                return lambda line, random: notes.append(_name) or line

            monkeypatch.setitem(EFFECTS._builders, name, builder)
        monkeypatch.setattr(EFFECTS, "options", _Anything())
        return notes

    class _Anything:
        def __call__(self, name):
            import inspect

            parameters = inspect.signature(EFFECTS[name]).parameters.values()
            known = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
            return _Everything() if "_name" in known else known

    class _Everything(dict):
        def __contains__(self, key):
            return True

        def __getitem__(self, key):
            return None

    return watch


def within(count, trials, probability, sigmas=4.5):
    """Whether a count is one that a binomial distribution gives."""
    return abs(count - trials * probability) <= sigmas * math.sqrt(trials * probability * (1 - probability))


def test_one_of_takes_exactly_one(built, spy):
    notes = spy("invert", "add", "jpeg")
    effect = built("one_of", effects=["invert", "add", "jpeg"], weights=[1, 2, 0])
    random = np.random.default_rng(0)
    for n in range(6000):
        effect(LINE, random)
        assert len(notes) == n + 1
    counts = Counter(notes)
    assert within(counts["invert"], 6000, 1 / 3)
    assert within(counts["add"], 6000, 2 / 3)
    assert counts["jpeg"] == 0


def test_some_of_takes_as_many_as_asked_in_order(built, spy):
    names = ["add", "invert", "jpeg", "multiply"]
    notes = spy(*names)
    effect = built("some_of", effects=names, count=[1, 3])
    sizes = Counter()
    random = np.random.default_rng(0)
    for _ in range(3000):
        notes.clear()
        effect(LINE, random)
        assert notes == sorted(notes)
        assert len(set(notes)) == len(notes)
        sizes[len(notes)] += 1
    assert set(sizes) == {1, 2, 3}
    assert all(within(count, 3000, 1 / 3) for count in sizes.values())


def test_sequence_is_in_order_and_p_is_for_all_of_it(built):
    effect = built("sequence", effects=[{"name": "add", "value": 10, "per_channel": 0}, "invert"], p=0.25)
    values = Counter(int(effect(LINE, np.random.default_rng(s))[0, 0, 0]) for s in range(4000))
    assert set(values) == {100, 145}
    assert within(values[145], 4000, 0.25)


def test_p_is_drawn_for_each_line(built, spy):
    notes = spy("invert")
    effect = built("invert", p=0.3)
    random = np.random.default_rng(1)
    for _ in range(5000):
        effect(LINE, random)
    assert within(len(notes), 5000, 0.3)


def test_nested_data_of_a_recipe_is_enough(built):
    nested = {"name": "one_of", "effects": [{"name": "sequence", "effects": [{"name": "add", "value": 5}]}]}
    assert (built(**nested)(LINE, np.random.default_rng(0)) == 105).all()


EIGHT = ("perspective", "average_blur", "add_elementwise", "gaussian_noise", "jpeg", "brightness", "add", "multiply")


def test_crnn_imgaug_has_the_probabilities_of_its_source(built, spy):
    notes = spy(*EIGHT, "invert")
    effect = built("crnn_imgaug")
    random, trials, seen = np.random.default_rng(0), 20_000, Counter()
    for _ in range(trials):
        notes.clear()
        effect(LINE, random)
        seen[tuple(notes)] += 1
    assert set(seen) == {(), ("add", "invert"), *((name,) for name in EIGHT)}
    assert within(seen[()], trials, 0.3 * 0.95)
    assert within(seen["add", "invert"], trials, 0.015)
    assert all(within(seen[(name,)], trials, 0.7 / 8) for name in EIGHT)


def test_recaug_has_the_order_and_the_probabilities_of_its_source(built, spy):
    order = ("tia_distort", "tia_stretch", "tia_perspective", "crop", "gaussian_blur", "multiply", "jitter",
             "gaussian_noise", "invert")  # fmt: skip
    notes = spy(*order)
    effect = built("recaug", each=0.4)
    random, counts = np.random.default_rng(0), Counter()
    for _ in range(4000):
        notes.clear()
        effect(LINE, random)
        assert notes == sorted(notes, key=order.index)
        counts.update(notes)
    assert counts.pop("jitter") == 4000
    assert all(within(count, 4000, 0.4) for count in counts.values())
    assert len(counts) == 8


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_recipe_data(name, built, line):
    pixels = line(channels=3)
    spelled_out = built("sequence", effects=PRESETS[name]())
    for seed in range(10):
        assert (
            built(name)(pixels, np.random.default_rng(seed)) == spelled_out(pixels, np.random.default_rng(seed))
        ).all()


@pytest.mark.parametrize("name", ["robust", "document"])
def test_strength_decides_how_much_happens(name, built, line):
    def changed(strength):
        effect = built(name, strength=strength)
        return np.mean([(effect(line(), np.random.default_rng(s)) != line()).mean() for s in range(60)])

    assert changed(0.2) < changed(1) <= changed(3) + 0.05
    built(name, strength=3)
