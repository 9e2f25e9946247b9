"""The main job with heads that write character after character: trained, exported, tested, reported."""

import io
import json

import pytest
from rich.console import Console

from glyphlet.job import run
from glyphlet.runtime.reader import Reader
from glyphlet.spec import apply_settings, recipe_from
from support import TINY


@pytest.mark.parametrize(
    ("neck", "head"),
    [
        ("{name: pool}", "{name: attention, max_length: 3}"),
        ("{name: latent, features: 8}", "{name: lstm, max_length: 3}"),
    ],
)
def test_a_job(neck, head, tmp_path):
    lines = {"count": 40, "min_length": 2, "max_length": 3}
    settings = [*TINY, f"model.neck={neck}", f"model.head={head}"]
    recipe = recipe_from(
        apply_settings(
            {"charset": {"name": "digits"}, "data": {"train": lines, "test": {**lines, "count": 8}}}, settings
        ),
        "",
    )
    job = run(recipe, tmp_path, Console(file=io.StringIO()))
    metadata = Reader(job.model).metadata
    assert metadata.head == "sequence"
    assert metadata.measured["validation_lines"] == 8
    assert job.parity.texts_differing == 0
    assert job.test.scores.lines == 8
    assert json.loads((job.folder / "test.json").read_text())["lines"] == 8
    assert job.report.stat().st_size > 1000
