"""A small model that reads rendered digits, and its lines."""

import pytest
import torch

from glyphlet.compress.accuracy import Bench
from glyphlet.compress.graph import Graph
from glyphlet.data.loader import LineLoader
from glyphlet.spec import apply_settings, recipe_from
from glyphlet.train.task import load_task
from support import TINY


@pytest.fixture(scope="session")
def taught():
    """A task whose model has learned some characters of its few lines: no line rightly or some, but not nothing."""
    values = {
        "name": "taught",
        "charset": {"name": "digits"},
        "data": {
            "train": {"count": 48, "min_length": 2, "max_length": 2},
            "validation": [{"count": 24, "min_length": 2, "max_length": 2, "seed": 5}],
        },
    }
    recipe = recipe_from(apply_settings(values, [*TINY, "model.backbone={name: micro, nh: 10, depth: 1}"]), "test")
    torch.manual_seed(0)
    task = load_task(recipe)
    _teach(task)
    return task


def _teach(task):
    loader = LineLoader(task.train, task.recipe.image, batch=16)
    model = task.model.train()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(60):
        for batch in loader.once():
            optimizer.zero_grad()
            model.head.loss(model(batch.images), batch.labels).backward()
            optimizer.step()
    model.eval()


@pytest.fixture(scope="session")
def graph(taught):
    return Graph.of(taught.model)


@pytest.fixture(scope="session")
def bench(taught):
    return Bench.of(taught, 32)
