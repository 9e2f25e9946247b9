"""Few rendered lines, and ladders with few rungs."""

import pytest

from glyphlet.compress.search import space
from glyphlet.spec import apply_settings, recipe_from
from glyphlet.train.task import load_task
from support import TINY


def lines_task(*settings):
    values = {
        "name": "two",
        "charset": {"name": "digits"},
        "data": {"train": {"count": 48, "min_length": 2, "max_length": 2}, "validation_share": 0.25},
    }
    model = "model.backbone={name: micro, nh: 2, depth: 1}"
    return load_task(recipe_from(apply_settings(values, [*TINY, model, "train.epochs=12", *settings]), "test"))


@pytest.fixture(scope="session")
def task():
    return lines_task()


@pytest.fixture(scope="session")
def taught(task):
    """For the tests here any lines will do."""
    return task


@pytest.fixture(scope="session")
def lines_of():
    """Makes a task with other settings."""
    return lines_task


@pytest.fixture(scope="module")
def few():
    """Two ladders of few widths."""
    made = (
        space.Ladder("micro-1", "micro", (4, 8, 16, 32), 0.01, space._micro(1)),
        space.Ladder("glyph-1", "glyph", (8, 16), 0.003, space._glyph(1, 1)),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "LADDERS", made)
        yield made
