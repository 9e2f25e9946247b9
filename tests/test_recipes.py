"""Every shipped recipe trains: its model learns 16 lines by heart, and the exported file reads them."""

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
QUICK = 700_000
"""Parameters above which a training of a minute or more is left to the slow tests."""


def models() -> list[object]:
    """One recipe for each model and geometry: recipes that differ in data or training alone are one."""
    seen: dict[tuple[str, ...], str] = {}
    for name, recipe in RECIPES.items():
        seen.setdefault((repr(recipe.model), repr(recipe.image), repr(recipe.charset.name)), name)
    return [pytest.param(name, marks=[pytest.mark.slow] if slow(RECIPES[name]) else [], id=name) for name in seen.values()]


def slow(recipe: Recipe) -> bool:
    parameters = count_parameters(build(recipe.model, recipe.image, recipe_charset(recipe)))
    return parameters > QUICK or recipe.model.head.name != "ctc"


def lines_for(charset: Charset) -> tuple[list[np.ndarray], list[str]]:
    """Rendered lines of characters that Pillow's font has."""
    drawable = [c for c in charset.characters if c.isascii() and c.isalnum()] or list(charset.characters)
    spec = SynthSpec(count=LINES, min_length=3, max_length=5, seed=5)
    rendered = render_set(spec, Charset(tuple(drawable)), "train")
    return [line.image for line in rendered], [line.text for line in rendered]


def learn(model: Recognizer, images: list[np.ndarray], texts: list[str], most: int = 400) -> int:
    """Train on the same lines again and again until all are read; the updates that it took."""
    torch.manual_seed(1)
    labels = [model.codec.encode(text) for text in texts]
    prepared = [prepare(image, model.geometry) for image in images]
    groups: dict[int, list[int]] = {}
    for number, line in enumerate(prepared):
        groups.setdefault(line.pixels.shape[2], []).append(number)
    batches = [
        (torch.from_numpy(scale(np.stack([prepared[i].pixels for i in members]), model.geometry)), [labels[i] for i in members])
        for members in groups.values()
    ]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-3, weight_decay=0)
    head = model.head
    for step in range(1, most + 1):
        model.train()
        optimizer.zero_grad()
        for pixels, part in batches:
            output = model(pixels, part if head.guided else None)
            (head.loss(output, part) * len(part) / LINES).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1.0, step / 20)
        optimizer.step()
        if step % 20 == 0 and right(model, batches):
            return step
    return 0


def right(model: Recognizer, batches: list[tuple[torch.Tensor, list[list[int]]]]) -> bool:
    """Whether every line is read, with the statistics of these lines."""
    model.eval()
    with torch.no_grad():
        for pixels, part in batches:
            paths = model(pixels).argmax(-1).tolist()
            if [model.codec.encode(model.codec.decode(path)) for path in paths] != part:
                return False
    return True


@pytest.mark.parametrize("name", models())
def test_a_model_learns_sixteen_lines_and_its_file_reads_them(name, tmp_path):
    recipe = RECIPES[name]
    charset = recipe_charset(recipe)
    torch.manual_seed(0)
    model = build(recipe.model, recipe.image, charset)
    images, texts = lines_for(charset)
    assert learn(model, images, texts), "not learned in 400 updates"
    export_model(model, tmp_path / "model.onnx", images, name=name, training={}, measured={})
    assert [reading.text for reading in Reader(tmp_path / "model.onnx").read(images)] == texts


@pytest.mark.parametrize("name", RECIPES)
def test_a_published_count_is_met(name):
    from glyphlet.models.catalogue import published_total

    recipe = RECIPES[name]
    assert published_total(recipe) == recipe.published.get("parameters")
