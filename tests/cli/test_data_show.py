"""`glyphlet data show`."""

import numpy as np
import pytest
from PIL import Image

from glyphlet.cli.data_show import COMBINATIONS
from glyphlet.effects import EFFECTS
from glyphlet.evaluate.sheet import GAP, Row, sheet

GREY = (112, 112, 112)


@pytest.fixture
def source(tmp_path):
    """Three lines, 64 x 32, 128 x 32 and 30 x 15 pixels (60 x 30 at height 30)."""
    for name, size in (("a", (64, 32)), ("b", (128, 32)), ("c", (30, 15))):
        image = Image.new("L", size, 220)
        image.paste(30, (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
        image.save(tmp_path / f"{name}.png")
    labels = tmp_path / "labels.txt"
    labels.write_text("a.png\tone\nb.png\ttwo words\nc.png\tthree\n", encoding="utf-8")
    return labels


def test_originals_and_versions(glyphlet, source, tmp_path):
    picture = tmp_path / "sheet.png"
    done = glyphlet("data", "show", source, picture, "--augment", "invert", "--versions", 2, "--lines", 3)
    assert done.code == 0, done.err
    assert done.out == f"3 rows, invert: {picture}\n"
    with Image.open(picture) as image:
        pixels = np.asarray(image)
    top, second = 20 + 22, GAP + 128 + GAP
    original, version = pixels[top : top + 32, GAP : GAP + 64], pixels[top : top + 32, second : second + 64]
    assert (version == 255 - original).all()
    assert original[0, 0].tolist() == [220] * 3
    assert pixels[top, GAP + 64].tolist() == list(GREY)  # columns are as wide as the widest line


def test_the_same_seed_gives_the_same_picture(glyphlet, source, tmp_path):
    pictures = []
    for number, seed in enumerate((1, 1, 2)):
        picture = tmp_path / f"{number}.png"
        assert glyphlet("data", "show", source, picture, "--seed", seed).code == 0
        pictures.append(picture.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]


def test_a_recipe_gives_effects_and_geometry(glyphlet, source, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("image: {height: 48}\naugment: [{name: jpeg, quality: 9}, {name: invert, p: 1}]\n")
    picture = tmp_path / "sheet.png"
    done = glyphlet("data", "show", source, picture, "--recipe", recipe, "--versions", 1)
    assert "3 rows, jpeg, invert" in done.out
    plain = glyphlet("data", "show", source, tmp_path / "p.png", "--recipe", recipe, "--versions", 1, "--height", 32)
    assert plain.code == 0
    with Image.open(picture) as tall, Image.open(tmp_path / "p.png") as low:
        assert tall.height - low.height == 3 * 16


def test_each_has_a_row_for_every_effect(glyphlet, source, tmp_path):
    done = glyphlet("data", "show", source, tmp_path / "each.png", "--each", "--versions", 1)
    assert done.out.startswith(f"{len(set(EFFECTS) - COMBINATIONS)} rows, every effect: ")


@pytest.mark.parametrize(
    ("options", "fragments"),
    [
        (["--augment", "invrt"], ["no effect named 'invrt'", "did you mean 'invert'"]),
        (["--augment", "{name: jpeg"], ["is not YAML"]),
        (["--augment", "[1]"], ["--augment has [1] among its effects"]),
        (["--augment", "{name: jpeg, quality: 0}"], ["jpeg has quality 0"]),
        (["--each", "--augment", "invert"], ["--each shows every effect on its own"]),
        (["--recipe", "nosuch"], ["no recipe 'nosuch'"]),
        (["--channels", "2"], ["image.channels is 2"]),
        (["--font", "nosuch.ttf"], ["nosuch.ttf cannot be read as a font"]),
    ],
)
def test_bad_options(glyphlet, source, tmp_path, options, fragments):
    glyphlet("data", "show", source, tmp_path / "sheet.png", *options).refused(*fragments)
    assert not (tmp_path / "sheet.png").exists()


def test_bad_paths(glyphlet, source, tmp_path):
    glyphlet("data", "show", tmp_path / "nothing.txt", tmp_path / "s.png").refused("nothing.txt")
    glyphlet("data", "show", source, tmp_path / "sheet.xyz").refused("sheet.xyz", "a name that ends in .png")
    glyphlet("data", "show", source, tmp_path / "no" / "folder" / "s.png").refused()


def test_a_sheet_by_hand():
    image = np.full((1, 10, 20), 7, np.uint8)
    picture = np.asarray(sheet([Row("", [image, image]), Row("", [np.full((3, 8, 30), 9, np.uint8)])], zoom=2))
    assert picture.shape == (GAP + 20 + GAP + 16 + GAP + GAP, 160, 3)
    assert (picture[GAP : GAP + 20, GAP : GAP + 40] == 7).all()
    assert (picture[GAP : GAP + 20, GAP + 60 + GAP : GAP + 60 + GAP + 40] == 7).all()
    assert (picture[GAP + 20 + GAP : GAP + 20 + GAP + 16, GAP : GAP + 60] == 9).all()


def test_a_label_without_end_makes_no_picture_without_end(glyphlet, tmp_path):
    Image.new("L", (40, 32)).save(tmp_path / "a.png")
    (tmp_path / "labels.txt").write_text("a.png\t" + "1" * 2_000_000 + "\n")
    assert glyphlet("data", "show", tmp_path / "labels.txt", tmp_path / "sheet.png").code == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width < 4000
