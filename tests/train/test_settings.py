"""What may be changed in a run before it goes on."""

import copy
import re

import pytest

from glyphlet.errors import CheckpointError
from glyphlet.spec import load_recipe, recipe_from
from glyphlet.train.settings import FREE, check_unchanged

RECIPE = recipe_from(
    {
        "model": {"backbone": {"name": "micro", "nh": 4}},
        "augment": [{"name": "document"}],
        "data": {
            "train": ["/a/labels.txt", {"count": 10, "endless": True, "fonts": ["/a/x.ttf"], "papers": ["#ffffff"]}]
        },
        "start": {"path": "/a/run", "replay": {"source": "/a/old.txt"}, "freeze": ["neck"]},
    },
    "test",
).dump()


def changed(**values):
    """The recipe with values at dotted places; `__` stands for the dot."""
    made = copy.deepcopy(RECIPE)
    for place, value in values.items():
        *path, last = [int(part) if part.isdigit() else part for part in place.split("__")]
        section = made
        for part in path:
            section = section[part]
        section[last] = value
    return made


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train__ema": 0.9}, "train.ema of this run has changed from 0.0 to 0.9"),
        ({"train__optimizer": "sgd"}, "train.optimizer of this run has changed from adamw to sgd"),
        ({"train__batch": 32}, "train.batch"),
        ({"train__seed": 5}, "train.seed"),
        ({"train__accumulate": 2}, "train.accumulate"),
        ({"train__precision": "bf16-mixed"}, "train.precision"),
        ({"image__mean": 0.1}, "image.mean of this run has changed from 0.5 to 0.1"),
        (
            {"model__head": {"name": "ctc", "dropout": 0.5}},
            "model.head.dropout of this run has changed from its default to 0.5",
        ),
        (
            {"model__widths": {"head.linear.in_features": 8}},
            "model.widths.head.linear.in_features of this run has changed from its default to 8",
        ),
        ({"model__backbone__nh": 8}, "model.backbone.nh of this run has changed from 4 to 8"),
        ({"augment__0__name": "robust"}, "augment[0].name of this run has changed from document to robust"),
        ({"augment": []}, "augment of this run"),
        (
            {"data__train__1__papers": ["#000000"]},
            "data.train[1].papers[0] of this run has changed from #ffffff to #000000",
        ),
        ({"data__validation_share": 0.5}, "data.validation_share"),
        ({"start__freeze": ["backbone"]}, "start.freeze[0] of this run has changed from neck to backbone"),
        ({"start": None}, "start of this run"),
    ],
    ids=str,
)
def test_what_makes_another_training_is_refused(values, message):
    with pytest.raises(CheckpointError, match=re.escape(message)) as refused:
        check_unchanged(RECIPE, changed(**values))
    assert "put it back in the recipe.yaml of the run" in str(refused.value)


@pytest.mark.parametrize("name", FREE)
def test_what_changes_no_update_may_change(name):
    assert name in RECIPE["train"]
    check_unchanged(RECIPE, changed(**{f"train__{name}": 7}))


def test_data_may_be_moved_and_described_anew():
    made = changed(
        data__train__0="/b/labels.txt", data__train__1__fonts=["/b/x.ttf"], start__path="/b/run", name="other", description="x",
        start__replay__source="/b/old.txt",
    )  # fmt: skip
    check_unchanged(RECIPE, made)


def test_a_setting_of_a_newer_version_is_none():
    older = copy.deepcopy(RECIPE)
    del older["train"]["accumulate"], older["image"]["squeeze"]
    check_unchanged(older, changed(train__accumulate=2))


def test_every_shipped_recipe_is_itself():
    for name in ("glyph", "labels", "chinese", "rare"):
        dumped = load_recipe(name).dump()
        check_unchanged(dumped, copy.deepcopy(dumped))
