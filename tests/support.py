"""Models, trainings and folders that several tests use."""

import io
import os
import signal
from pathlib import Path

import pytest
import torch
from rich.console import Console

from glyphlet.charset import Charset
from glyphlet.errors import Interrupted
from glyphlet.image import Geometry
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.spec import ModelSpec, PartSpec, Recipe, apply_settings, recipe_from
from glyphlet.train import loop
from glyphlet.train.checkpoint import load_checkpoint
from glyphlet.train.task import load_task

SHARED = Path(__file__).parents[2] / "shared" / "data"
"""Real labelled lines; they lie beside the developers' checkouts only."""


def part(name: str, **options) -> PartSpec:
    return PartSpec.model_validate({"name": name, **options})


def micro(
    charset: str = "0123456789", *, nh: int = 4, depth: int = 1, neck: PartSpec | None = None, **geometry
) -> Recognizer:
    """A small untrained recogniser."""
    spec = ModelSpec(backbone=part("micro", nh=nh, depth=depth), neck=neck or part("fold"))
    return build(spec, Geometry(**geometry), Charset.from_text(charset))


TINY = (
    "train.threads=1",
    "train.accelerator=cpu",
    "train.epochs=2",
    "train.batch=16",
    "train.samples=1",
    "model.backbone={name: micro, nh: 4, depth: 1}",
    "model.pyramid={name: none}",
    "model.neck={name: fold}",
)
"""Settings for a training of a second."""


def tiny_recipe(labels: Path, *settings: str, **data) -> Recipe:
    """A recipe that trains on a label file in a second."""
    return recipe_from(
        apply_settings({"name": "tiny", "data": {"train": [str(labels)], **data}}, [*TINY, *settings]), ""
    )


def runs_in(root: Path) -> list[Path]:
    """The run folders below a root; the link `latest` beside them is none."""
    return sorted(path for path in root.iterdir() if not path.is_symlink())


def same(a, b) -> bool:
    """Whether two states are equal to the bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def without_times(state: dict) -> dict:
    """The state of a checkpoint without what a clock says."""
    times = ("seconds", "epoch_seconds", "waited")
    return {**state, "progress": {k: v for k, v in state["progress"].items() if k not in times}}


def trained(folder: Path, recipe: Recipe) -> dict:
    """Train, or go on with what the folder holds; the last checkpoint."""
    torch.manual_seed(0)
    folder.mkdir(exist_ok=True)
    loop.fit(load_task(recipe), folder, Console(file=io.StringIO()))
    return load_checkpoint(folder / "checkpoints" / "last.pt")


def stopped(train, *args, at: int) -> Interrupted:
    """Call what trains, and let SIGTERM come in the update of this number."""
    update = loop.Training.update

    def interrupting(self, batch):
        value = update(self, batch)
        if self.progress.step + 1 == at:
            os.kill(os.getpid(), signal.SIGTERM)
        return value

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Training, "update", interrupting)
        with pytest.raises(Interrupted) as caught:
            train(*args)
    return caught.value
