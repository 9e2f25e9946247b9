import pytest

from glyphlet.effects import EFFECTS
from glyphlet.models.catalogue import parts, recipe_row
from glyphlet.models.recognizer import LAYOUTS
from glyphlet.spec import load_recipe, shipped_recipes

PUBLISHED = [name for name, path in shipped_recipes().items() if load_recipe(path).published]


def test_every_registered_part_is_listed_with_its_options():
    found = {(row["kind"], row["name"]): row for row in parts()}
    registries = {**LAYOUTS, "effect": EFFECTS}
    assert set(found) == {(kind, name) for kind, registry in registries.items() for name in registry}
    assert found["backbone", "micro"]["options"] == {"nh": 16, "depth": 2, "bias": True}
    assert all(row["description"] for row in found.values())


def test_the_18_rows_of_micro_ocr_are_recipes():
    assert len([name for name in PUBLISHED if name.startswith("micro-nh")]) == 18


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_total_is_counted_as_the_source_did(name):
    recipe = load_recipe(name)
    row = recipe_row(recipe, 128)
    assert row["published_total"] == recipe.published["parameters"]
    assert row["published_classes"] == recipe.published["classes"]
    assert row["file_kb"] == -(-4 * (row["parameters"] - row["dead_parameters"]) // 1024)


def test_a_row_by_hand():
    row = recipe_row(load_recipe("micro-nh16"), 121)
    assert row["parameters"] == 9806 + 8 * 16 + 1  # one class more than the source counted
    assert row["classes"] == 63
    assert row["multiply_adds"] == 659_456
