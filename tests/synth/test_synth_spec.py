from __future__ import annotations

from pathlib import Path

import pytest

from glyphlet.errors import RecipeError
from glyphlet.spec import SynthSpec, recipe_from
from glyphlet.spec.texts import FileText, JoinText


def spec_of(values: dict[str, object]) -> SynthSpec:
    spec = recipe_from({"data": {"train": values}}, "r.yaml").data.train
    assert isinstance(spec, SynthSpec)
    return spec


def test_the_defaults_are_those_of_microocr():
    spec = SynthSpec()
    assert (spec.text, spec.min_length, spec.max_length, spec.font_size) == ("random", 4, 4, (25, 25))
    assert (spec.looks, spec.effects, spec.texts, spec.papers, spec.inks) == ([], [], [], [], [])
    assert (spec.shaping, spec.mixed_fonts, spec.glyphs, spec.margins) == (False, False, None, None)


def test_a_spec_survives_plain_values():
    parts = [{"kind": "dates", "locales": ["de"]}, {"kind": "random", "max_length": 3}]
    spec = spec_of({
        "text": "mix", "texts": [{"kind": "join", "parts": parts}, {"kind": "pattern", "pattern": "a", "weight": 2}],
        "looks": [{"name": "shadow", "p": 0.5}], "effects": [{"name": "jpeg"}], "margins": [0, 0.5],
    })  # fmt: skip
    assert SynthSpec.model_validate(spec.model_dump(mode="json")) == spec
    assert [t.kind for t in spec.texts] == ["join", "pattern"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"text": "mix"}, "texts: a list of sources"),
        ({"texts": [{"kind": "dates"}]}, "text: mix when texts are listed"),
        ({"pattern": "a"}, "text: pattern beside a pattern"),
        ({"text": "pattern"}, "text: pattern together with a pattern"),
        ({"background": "photos"}, "background: photos together with photos"),
        ({"photos": "x"}, "background: photos together with photos"),
        ({"glyphs": "x.npz", "fonts": ["a.ttf"]}, "without fonts"),
        ({"inks": ["red"]}, "inks is .*'#1a2b80', not 'red'"),
        ({"margins": [2, 1]}, "both from 0 to 10 font sizes"),
        ({"stretch": [0.5, 6]}, "both from 0.2 to 5"),
        ({"stretch": [1, 0.5]}, "both from 0.2 to 5"),
        ({"text": "mix", "texts": [{"kind": "patern"}]}, r"texts\[0\] has no known kind: .* \(did you mean 'pattern'\?\)"),
        ({"text": "mix", "texts": ["words"]}, r"texts\[0\] has no known kind: 'words'"),
        (
            {"text": "mix", "texts": [{"kind": "words", "max_wrods": 1}]},
            r"texts\[0\] \(words\) has no setting max_wrods \(did you mean 'max_words'\?\)",
        ),
        ({"text": "mix", "texts": [{"kind": "file"}]}, r"texts\[0\] \(file\): path is missing"),
        ({"text": "mix", "texts": [{"kind": "dates", "locales": ["xx"]}]}, r"texts\[0\] \(dates\): locales.0 is 'xx'"),
        ({"text": "mix", "texts": [{"kind": "words", "min_words": 9}]}, "max_words is 3. Allowed: at least min_words"),
        ({"text": "mix", "texts": [{"kind": "numbers", "weight": 0}]}, r"weight is 0"),
        (
            {"text": "mix", "texts": [{"kind": "join", "parts": [{"kind": "no"}]}]},
            r"parts\[0\] has no known kind",
        ),
        ({"text": "mix", "texts": {"kind": "dates"}}, "texts"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(values: dict[str, object], message: str):
    with pytest.raises(RecipeError, match=message):
        spec_of(values)


def test_absolute_paths():
    spec = spec_of({
        "text": "mix", "fonts": ["a.ttf"], "background": "photos", "photos": "p",
        "texts": [{"kind": "file", "path": "t.txt"}, {"kind": "join", "parts": [{"kind": "words", "path": "w.txt"}]}],
    }).absolute()  # fmt: skip
    here = Path.cwd()
    assert (spec.fonts, spec.photos, spec.text_file) == ([str(here / "a.ttf")], str(here / "p"), None)
    file, join = spec.texts
    assert isinstance(file, FileText)
    assert isinstance(join, JoinText)
    assert (file.path, join.parts[0].path) == (str(here / "t.txt"), str(here / "w.txt"))  # type: ignore[union-attr]
