"""What there is: every registered part, and every shipped recipe with what its model costs."""

from __future__ import annotations

from typing import Any

from glyphlet.charset import Charset
from glyphlet.effects import EFFECTS
from glyphlet.models.recognizer import LAYOUTS, build
from glyphlet.models.summary import count_parameters, kilobytes, multiply_adds
from glyphlet.spec import Recipe, load_recipe, shipped_recipes


def parts() -> list[dict[str, Any]]:
    """Every part: `kind`, `name`, `options` with their defaults, and the first sentence of its `description`."""
    rows = []
    for kind, registry in {**LAYOUTS, EFFECTS.kind: EFFECTS}.items():
        for name in registry:
            description = (registry[name].__doc__ or "").strip().split("\n")[0]
            rows.append({"kind": kind, "name": name, "options": registry.options(name), "description": description})
    return rows


def recipes(width: int) -> list[dict[str, Any]]:
    """Every shipped recipe with its costs; see `recipe_row`."""
    return [recipe_row(load_recipe(path), width) for path in shipped_recipes().values()]


def recipe_charset(recipe: Recipe) -> Charset:
    """The charset of a recipe; where the labels decide it, the 95 printable ASCII characters stand in."""
    return recipe.charset.fixed() or Charset.named("ascii")


def published_total(recipe: Recipe) -> int | None:
    """The parameters of a recipe's model counted as its source did: with as many classes as it counted."""
    if "parameters" not in recipe.published:
        return None
    classes = recipe.published.get("classes", recipe_charset(recipe).size + 1)
    stand_ins = Charset(tuple(chr(0x4E00 + i) for i in range(classes - 1)))
    return count_parameters(build(recipe.model, recipe.image, stand_ins))


def recipe_row(recipe: Recipe, width: int) -> dict[str, Any]:
    """What the model of a recipe costs.

    Args:
        recipe: any recipe.
        width: pixels of the line that multiply-adds are counted for; rounded up to the recipe's step.

    Returns:
        `name`, `description`, `parts`, `classes`, `parameters`, `published_total` (this model with the number of
        classes that the source counted, `published_classes`; None where the source gives no total), `file_kb` (float32
        weights), `multiply_adds`.
    """
    model = build(recipe.model, recipe.image, recipe_charset(recipe)).eval()
    parameters = count_parameters(model)
    spec = recipe.model
    return {
        "name": recipe.name,
        "description": recipe.description,
        "parts": " + ".join(getattr(spec, kind).name for kind in model.parts()),
        "classes": model.codec.classes,
        "parameters": parameters,
        "published_total": published_total(recipe),
        "published_classes": recipe.published.get("classes"),
        "file_kb": kilobytes(4 * parameters),
        "multiply_adds": multiply_adds(model, recipe.image.padded_width(width)),
    }
