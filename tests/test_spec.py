"""Recipes: what is refused and how it is said, overrides, and every recipe that ships."""

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.charset import Charset
from glyphlet.effects import build_effects
from glyphlet.errors import CharsetError, RecipeError
from glyphlet.models.catalogue import recipe_charset
from glyphlet.models.recognizer import build
from glyphlet.spec import (
    CharsetSpec,
    Recipe,
    SynthSpec,
    apply_settings,
    load_recipe,
    load_values,
    recipe_from,
    shipped_recipes,
)
from glyphlet.train.task import absolute_paths


def recipe(*settings, **values):
    return recipe_from(apply_settings(values, settings), "tiny.yaml")


class TestUnknownKeys:
    @pytest.mark.parametrize(
        ("values", "key", "meant", "also_allowed"),
        [
            ({"trian": {}}, "trian", "train", "augment"),
            ({"train": {"epoch": 3}}, "train.epoch", "epochs", "weight_decay"),
            ({"model": {"bakbone": {}}}, "model.bakbone", "backbone", "neck"),
            ({"charset": {"nam": "digits"}}, "charset.nam", "name", "half_width"),
            ({"data": {"valdation": []}}, "data.valdation", "validation", "split_seed"),
            ({"data": {"train": {"cuont": 3}}}, "data.train.cuont", "count", "background"),
            ({"data": {"test": {"fontsize": [8, 9]}}}, "data.test.fontsize", "font_size", "polarity"),
            ({"data": {"train": ["a", {"path": "b", "wieght": 2}]}}, "data.train.1.wieght", "weight", "dictionary"),
            ({"data": {"train": [{"cuont": 2}]}}, "data.train.0.cuont", "count", "background"),
            ({"image": {"hieght": 32}}, "image.hieght", "height", "padding"),
        ],
    )
    def test_the_nearest_key_is_named_with_all_that_are_allowed(self, values, key, meant, also_allowed):
        with pytest.raises(RecipeError) as caught:
            recipe(**values)
        assert f"there is no setting {key} (did you mean {meant!r}?)" in str(caught.value)
        assert {meant, also_allowed} <= set(caught.value.allowed.split(", "))

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("model.backbone.hn=4", "backbone 'micro' has no option 'hn' (did you mean 'nh'?)"),
            ("model.neck={name: bilstm, hiden: 4}", "neck 'bilstm' has no option 'hiden' (did you mean 'hidden'?)"),
            ("model.head.droput=0.1", "head 'ctc' has no option 'droput' (did you mean 'dropout'?)"),
            ("model.neck.name=bilstn", "there is no neck named 'bilstn' (did you mean 'bilstm'?)"),
            ("model.transform.name=twist", "there is no transform named 'twist'"),
        ],
    )
    def test_options_of_parts_are_known_when_the_model_is_built(self, setting, message):
        names = {"transform": "none", "backbone": "micro", "neck": "fold", "head": "ctc"}
        made = recipe(setting, model={kind: {"name": name} for kind, name in names.items()})
        with pytest.raises(RecipeError) as caught:
            build(made.model, made.image, Charset.named("digits"))
        assert message in str(caught.value)

    def test_options_of_effects(self):
        with pytest.raises(RecipeError, match=r"effect 'shift' has no option 'pixel' \(did you mean 'pixels'\?\)"):
            build_effects(recipe("augment=[{name: shift, pixel: 2}]").augment)


class TestValues:
    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("train.epochs=0", "train.epochs is 0. Allowed: Input should be greater than or equal to 1"),
            ("train.epochs=1.5", "train.epochs is 1.5. Allowed: Input should be a valid integer"),
            ("train.batch=-1", "train.batch is -1"),
            ("train.lr=-0.1", "train.lr is -0.1. Allowed: Input should be greater than 0"),
            ("train.lr=nan", "train.lr is 'nan'. Allowed: Input should be a finite number"),
            ("train.lr=.nan", "train.lr is nan. Allowed: Input should be a finite number"),
            ("train.lr=.inf", "train.lr is inf. Allowed: Input should be a finite number"),
            ("train.lr=", "train.lr is None. Allowed: Input should be a valid number"),
            ("train.lr=fast", "train.lr is 'fast'"),
            ("train.seed=-1", "train.seed is -1"),
            ("train.betas=[0.9, 1]", "train.betas.1 is 1. Allowed: Input should be less than 1"),
            ("train.optimizer=adamm", "train.optimizer is 'adamm'. Allowed: Input should be 'adam', 'adamw', 'sgd', "),
            ("train=5", "train is 5"),
            ("model=micro", "model is 'micro'"),
            ("model.backbone={nh: 4}", "model.backbone.name is missing. Next: add model.backbone.name"),
            ("augment={name: shift}", "augment is {'name': 'shift'}"),
            (
                "data.train=labels.txt",
                "data.train is 'labels.txt'. Allowed: a list of label files and other sources, or settings",
            ),
            ("data.test=5", "data.test is 5. Allowed: a list of label files and other sources, or settings"),
            ("data.train=[1]", "data.train.0 is 1"),
            (
                "data.train=[{path: a, weight: x}]",
                "data.train.0.weight is 'x'. Allowed: Input should be a valid number",
            ),
            ("data.test=[{path: 3}]", "data.test.0.path is 3. Allowed: Input should be a valid string"),
            ("data.train=[{path: a, weight: 0}]", "data.train.0.weight is 0"),
            ("data.train.count=many", "data.train.count is 'many'. Allowed: Input should be a valid integer"),
            (
                "data.train.background=blue",
                "data.train.background is 'blue'. Allowed: Input should be 'plain', 'random'",
            ),
            ("data.train={min_length: 5, max_length: 2}", "max_length is 2. Allowed: at least min_length, which is 5"),
            ("data.train.font_size=[2, 9]", "font_size is [2, 9]. Allowed: [smallest, largest], both from 8 to 256"),
            ("data.validation_share=1", "data.validation_share is 1"),
            ("image.height=3", "image.height is 3. Allowed: 4 to 512"),
            ("image.height=tall", "image.height is 'tall'"),
            ("image.std=0", "image.std is 0.0. Allowed: a finite number above 0"),
            ("image.max_width=4", "image.max_width is 4. Allowed: 8 (width_step) or more"),
            ("image.padding=white", "image.padding is 'white'. Allowed: Input should be 'edge' or 'black'"),
            ("name=my model", "name is 'my model'"),
            ("name=2024", "name is 2024. Allowed: Input should be a valid string. Next: put it in quotes"),
        ],
    )
    def test_a_wrong_one_is_named_with_what_is_allowed(self, setting, message):
        with pytest.raises(RecipeError) as caught:
            recipe(setting)
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        "options", [{"hidden": 0}, {"layers": 0}, {"over": "batch"}], ids=lambda options: next(iter(options))
    )
    def test_options_out_of_range(self, options):
        made = recipe(model={"neck": {"name": "bilstm", **options}})
        with pytest.raises(RecipeError, match=r"model\.neck\.\w+ is"):
            build(made.model, made.image, Charset.named("digits"))

    def test_a_key_that_is_no_text(self):
        with pytest.raises(RecipeError, match="Keys should be strings"):
            recipe_from({"train": {1: 2}}, "tiny.yaml")

    def test_a_charset_has_one_source(self):
        with pytest.raises(RecipeError, match="charset has name and text"):
            CharsetSpec(name="digits", text="ab").resolve([])
        with pytest.raises(CharsetError, match="there is no charset named 'digit'"):
            CharsetSpec(name="digit").resolve([])
        assert CharsetSpec().resolve(["ba", "c"]).text == "abc"


class TestSettings:
    @pytest.mark.parametrize(
        ("setting", "path", "value"),
        [
            ("train.lr=3e-4", ("train", "lr"), 3e-4),
            ("train.lr=1E+2", ("train", "lr"), 100.0),
            ("train.lr=0.5", ("train", "lr"), 0.5),
            ("train.milestones=[10, 20]", ("train", "milestones"), [10, 20]),
            ("data.test=null", ("data", "test"), None),
            ("data.train=[a.txt, my lines.txt]", ("data", "train"), ["a.txt", "my lines.txt"]),
            ("charset.text='0123'", ("charset", "text"), "0123"),
            ("charset.text=abc", ("charset", "text"), "abc"),
            ("charset.text='1e5'", ("charset", "text"), "1e5"),
            ("description=a = b", ("description",), "a = b"),
            ("published.word_accuracy=0.9", ("published", "word_accuracy"), 0.9),
        ],
    )
    def test_the_text_after_the_sign_is_yaml(self, setting, path, value):
        node = recipe(setting).dump()
        for key in path:
            node = node[key]
        assert node == value
        assert type(node) is type(value)

    def test_sections_that_are_not_there_are_made(self):
        made = recipe("data.train.count=7", "data.train.min_length=2", data=None)
        assert made.data.train == SynthSpec(count=7, min_length=2)

    def test_the_last_one_wins_and_the_values_stay_as_they_were(self):
        values = {"train": {"lr": 1.0, "betas": [0.5, 0.9]}}
        assert apply_settings(values, ["train.lr=2", "train.lr=3", "train.betas=[0, 0]"])["train"]["lr"] == 3
        assert values == {"train": {"lr": 1.0, "betas": [0.5, 0.9]}}

    @pytest.mark.parametrize("setting", ["train.lr", "", "=3", " =3", ".=3", "train.=3", "train..lr=3"])
    def test_what_is_no_setting(self, setting):
        with pytest.raises(RecipeError, match=r"is not a setting\. Allowed: section\.key=value\. Next: write --set"):
            apply_settings({}, [setting])

    def test_what_is_no_section(self):
        with pytest.raises(RecipeError, match=r"--set 'train\.lr\.x=3': lr is not a section but 0\.1"):
            apply_settings({"train": {"lr": 0.1}}, ["train.lr.x=3"])
        with pytest.raises(RecipeError, match="augment is not a section"):
            apply_settings({"augment": [{"name": "shift"}]}, ["augment.0.pixels=3"])

    @pytest.mark.parametrize("text", ["[1", "{a: ", "!!python/object/apply:os.getcwd []", "a: b: c"])
    def test_what_is_no_yaml(self, text):
        with pytest.raises(RecipeError, match="is not YAML"):
            apply_settings({}, [f"train.lr={text}"])


class TestFiles:
    def test_numbers_and_texts_stay_what_they_were(self, tmp_path):
        path = tmp_path / "r.yaml"
        path.write_text("name: '2024'\ncharset: {text: '0123456789'}\ntrain: {lr: 3e-4}\n", encoding="utf-8")
        made = load_recipe(path, ["train.epochs=2"])
        assert (made.name, made.charset.text, made.train.lr, made.train.epochs) == ("2024", "0123456789", 3e-4, 2)

    @given(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x85\u2028\u2029"), max_size=12)
        | st.sampled_from(["1e5", ".5E-3", "null", "yes", "012", "0x1F", "nan", "~", "2024-01-01", "1_000", " ", "'"])
    )
    def test_any_text_survives_the_round_trip(self, tmp_path_factory, text):
        path = tmp_path_factory.mktemp("recipe") / "r.yaml"
        made = recipe_from({"description": text, "data": {"train": [text]}, "charset": {"file": text}}, "r")
        path.write_text(made.to_yaml(), encoding="utf-8")
        assert load_recipe(path) == made

    def test_a_byte_order_mark(self, tmp_path):
        (tmp_path / "r.yaml").write_bytes(b"\xef\xbb\xbftrain: {epochs: 2}\r\n")
        assert load_recipe(tmp_path / "r.yaml").train.epochs == 2

    @pytest.mark.parametrize(
        "content",
        [
            b"train: {epochs: 2",
            b"\ttrain:\n",
            b"\xff\xfe\x00",
            b"- a\n- b\n",
            b"",
            b"just words",
            b"x: !!python/name:os.x",
        ],
    )
    def test_what_is_no_recipe(self, tmp_path, content):
        (tmp_path / "r.yaml").write_bytes(content)
        with pytest.raises(RecipeError, match=r"r\.yaml is not a recipe.*Next: compare it with a shipped recipe"):
            load_values(tmp_path / "r.yaml")

    def test_a_folder(self, tmp_path):
        with pytest.raises(RecipeError, match="is not a recipe"):
            load_values(tmp_path)

    def test_a_misspelt_name(self):
        with pytest.raises(RecipeError, match=r"there is no recipe 'demoo' \(did you mean 'demo'\?\)"):
            load_recipe("demoo")

    def test_paths_become_absolute(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        made = absolute_paths(
            recipe(
                data={
                    "train": {"fonts": ["f.ttf"], "text_file": "t.txt"},
                    "validation": ["v.txt"],
                    "test": ["s/t.txt"],
                },
                charset={"file": "c.txt"},
            )
        )
        assert made.data.train.fonts == [str(tmp_path / "f.ttf")]
        assert made.data.train.text_file == str(tmp_path / "t.txt")
        assert (made.data.validation, made.data.test) == ([str(tmp_path / "v.txt")], [str(tmp_path / "s" / "t.txt")])
        assert made.charset.file == str(tmp_path / "c.txt")
        assert absolute_paths(made) == made


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
class TestShippedRecipes:
    def test_it_is_complete(self, name, tmp_path):
        made = load_recipe(name)
        assert made.name == name
        assert made.description
        (tmp_path / "r.yaml").write_text(made.to_yaml(), encoding="utf-8")
        assert load_recipe(tmp_path / "r.yaml") == made
        assert set(yaml.safe_load(made.to_yaml())) == set(Recipe.model_fields)

    def test_its_model_and_its_effects_can_be_built(self, name):
        made = load_recipe(name)
        model = build(made.model, made.image, recipe_charset(made))
        assert model.codec.classes == recipe_charset(made).size + 1
        width = made.image.padded_width(128)
        with torch.no_grad():
            sequence = model.eval().features(torch.zeros(1, made.image.channels, made.image.height, width))
        assert sequence.shape[1] == model.time_steps(width)
        assert len(build_effects(made.augment)) == len(made.augment)
