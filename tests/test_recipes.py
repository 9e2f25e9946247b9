"""Every shipped recipe trains: its model learns 16 lines by heart, and the exported file reads them."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.export.onnx import export_model
from glyphlet.image import prepare, scale
from glyphlet.models.catalogue import recipe_charset
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.models.summary import count_parameters
from glyphlet.runtime.reader import Reader
from glyphlet.spec import Recipe, SynthSpec, load_recipe, shipped_recipes
from glyphlet.synth.render import render_set

RECIPES = {name: load_recipe(path) for name, path in shipped_recipes().items()}
LINES = 16
QUICK = 100_000
"""Parameters from which a training is left to the slow tests."""


def models() -> list[object]:
    """One recipe for each model and geometry: recipes that differ in data or training alone are one."""
    seen: dict[tuple[str, ...], str] = {}
    for name, recipe in RECIPES.items():
        seen.setdefault((repr(recipe.model), repr(recipe.image), repr(recipe.charset.name)), name)
    return [
        pytest.param(name, marks=[pytest.mark.slow] if slow(RECIPES[name]) else [], id=name) for name in seen.values()
    ]


def slow(recipe: Recipe) -> bool:
    parameters = count_parameters(build(recipe.model, recipe.image, recipe_charset(recipe)))
    return parameters >= QUICK or recipe.model.head.name != "ctc"


def lines_for(charset: Charset) -> tuple[list[np.ndarray], list[str]]:
    """Rendered lines of 2 digits, all of one width.

    Digits, since I and l look alike in one font; no digit twice in a row, since a model that sees 12 pixels at a time
    cannot tell two from one; short ones, since the largest models take seconds for an update.
    """
    digits = tuple(char for char in charset.characters if char in "0123456789")
    spec = SynthSpec(count=10 * LINES, min_length=2, max_length=2, seed=5)
    lines = [line for line in render_set(spec, Charset(digits)) if all(a != b for a, b in pairwise(line.text))][:LINES]
    return [np.asarray(line.image) for line in lines], [line.text for line in lines]


def learn(model: Recognizer, images: list[np.ndarray], texts: list[str], most: int = 600) -> int:
    """Train on the same lines again and again until all are read; the updates that it took.

    All lines are one batch: statistics of a few lines would not be those that reading uses.
    """
    labels = [model.codec.encode(text) for text in texts]
    prepared = np.stack([prepare(image, model.geometry).pixels for image in images])
    pixels = torch.from_numpy(scale(prepared, model.geometry))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0, weight_decay=0)
    size = count_parameters(model)
    highest = 1e-2 if size < 5_000 else 5e-3 if size < QUICK else 1e-3
    for step in range(1, most + 1):
        model.train()
        optimizer.param_groups[0]["lr"] = highest * min(1.0, step / 20)
        optimizer.zero_grad()
        model.head.loss(model(pixels, labels if model.head.guided else None), labels).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        if step % 10 == 0 and read(model, pixels) == texts:
            return step
    return 0


def read(model: Recognizer, pixels: torch.Tensor) -> list[str]:
    """The texts that the network writes in evaluation."""
    model.eval()
    with torch.no_grad():
        return [model.codec.decode(path) for path in model(pixels).argmax(-1).tolist()]


@pytest.mark.parametrize("name", models())
def test_a_model_learns_sixteen_lines_and_its_file_reads_them(name, tmp_path):
    recipe = RECIPES[name]
    charset = recipe_charset(recipe)
    images, texts = lines_for(charset)
    for seed in range(3):  # the smallest fall into a hole with some seeds
        torch.manual_seed(seed)
        model = build(recipe.model, recipe.image, charset)
        if learn(model, images, texts):
            break
    else:
        pytest.fail("not learned in 3 times 600 updates")
    export_model(model, tmp_path / "model.onnx", images, name=name, training={}, measured={})
    assert [reading.text for reading in Reader(tmp_path / "model.onnx").read(images)] == texts


@pytest.mark.parametrize("name", RECIPES)
def test_a_published_count_is_met(name):
    from glyphlet.models.catalogue import published_total

    recipe = RECIPES[name]
    assert published_total(recipe) == recipe.published.get("parameters")
