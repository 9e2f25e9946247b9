"""What there is: every registered part, and every shipped recipe with what its model costs."""

from __future__ import annotations

from typing import Any

import torch

from glyphlet.charset import Charset
from glyphlet.effects import EFFECTS
from glyphlet.models.heads import HEADS
from glyphlet.models.options import one_of
from glyphlet.models.recognizer import LAYOUTS, Recognizer, build
from glyphlet.models.summary import count_parameters, count_statistics, dead_parameters, kilobytes, multiply_adds
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
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one line is little work, and on a busy machine threads wait for each other
    try:
        return [recipe_row(load_recipe(path), width) for path in shipped_recipes().values()]
    finally:
        torch.set_num_threads(threads)


def recipe_charset(recipe: Recipe) -> Charset:
    """The charset of a recipe; where the labels decide it, the 95 printable ASCII characters stand in."""
    return recipe.charset.fixed() or Charset.named("ascii")


COUNTING = ("", "paddle")
"""How a source counted its parameters. `paddle` takes the running statistics of batch normalisation for parameters, too."""


def published_total(recipe: Recipe, model: Recognizer | None = None) -> int | None:
    """The parameters of a recipe's model counted as its source did, with as many classes as it counted.

    Args:
        recipe: any recipe; its `published` may have `parameters`, `classes` and `counting`, see `COUNTING`.
        model: the recipe's model where it was already built. It may have other classes: only the head depends on them.

    Raises:
        RecipeError: `counting` has another value.
    """
    published = recipe.published
    if "parameters" not in published:
        return None
    one_of("published.counting", published.get("counting", ""), COUNTING)
    model = model or build(recipe.model, recipe.image, recipe_charset(recipe))
    parts = model.parts()
    if "classes" in published:
        stand_ins = Charset(tuple(chr(0x4E00 + i) for i in range(published["classes"] - 1)))
        head = recipe.model.head
        parts["head"] = HEADS.build(head.name, head.options, model.neck.features, stand_ins)
    total = sum(count_parameters(part) for part in parts.values())
    return total + sum(count_statistics(part) for part in parts.values()) if "counting" in published else total


def recipe_row(recipe: Recipe, width: int) -> dict[str, Any]:
    """What the model of a recipe costs. The model is built once.

    Args:
        recipe: any recipe.
        width: pixels of the line that multiply-adds are counted for; rounded up to the recipe's step.

    Returns:
        `name`, `description`, `parts`, `classes`, `parameters`, `dead_parameters` (of these, what does nothing and stands
        in no model file), `published_total` (this model with the number of classes that the source counted,
        `published_classes`; None where the source gives no total), `file_kb` (float32 weights), `multiply_adds`.
    """
    model = build(recipe.model, recipe.image, recipe_charset(recipe)).eval()
    parameters, dead = count_parameters(model), dead_parameters(model)
    spec, image = recipe.model, recipe.image
    return {
        "name": recipe.name,
        "description": recipe.description,
        "parts": " + ".join(getattr(spec, kind).name for kind in model.parts()),
        "classes": model.codec.classes,
        "parameters": parameters,
        "dead_parameters": dead,
        "published_total": published_total(recipe, model),
        "published_classes": recipe.published.get("classes"),
        "file_kb": kilobytes(4 * (parameters - dead)),
        "multiply_adds": multiply_adds(model, image.padded_width(image.scaled_width(width, image.height))),
    }
