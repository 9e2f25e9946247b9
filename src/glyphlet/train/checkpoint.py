"""Checkpoints: one file from which a training goes on as if it had never stopped.

A file is written beside its target and then renamed, so that a full disk or a power cut leaves the old one whole.
It is read with `torch.load(weights_only=True)`: no code in it is ever run.
"""

from __future__ import annotations

import io
import random
import shlex
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from glyphlet.errors import CheckpointError, TrainingError
from glyphlet.files import replace_file
from glyphlet.models.importers.checkpoint import load_tensors, unreadable

FORMAT = 1
LAST, BEST = "last.pt", "best.pt"


def random_state() -> dict[str, Any]:
    """The state of every random generator that a training may draw from."""
    kind, keys, position, has_gauss, cached = cast(tuple[Any, ...], np.random.get_state(legacy=True))
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "numpy": [kind, keys.tolist(), position, has_gauss, cached],
        "python": list(random.getstate()[1]),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_random(state: dict[str, Any]) -> None:
    """Put every random generator back into a state from `random_state`."""
    torch.set_rng_state(state["torch"].cpu())
    kind, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
    random.setstate((3, tuple(state["python"]), None))
    if torch.cuda.is_available() and "cuda" in state:
        torch.cuda.set_rng_state_all([s.cpu() for s in state["cuda"]])


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint; the target is replaced only when everything is on the disk.

    Raises:
        TrainingError: it could not be written (a full disk, no permission); an older checkpoint is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()  # torch itself would report a full disk as `unexpected pos 30656 vs 30588`
        torch.save({"format": FORMAT, **state}, buffer)
        replace_file(path, buffer.getbuffer())
    except OSError as error:
        raise TrainingError(
            f"the checkpoint {path} cannot be written: {error.strerror or error}",
            allowed="a folder with room for it",
            next_step=f"free some space, then go on with `glyphlet train --resume {shlex.quote(str(path.parent.parent))}`",
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint on the CPU.

    Raises:
        CheckpointError: it does not exist, is damaged, or is not a checkpoint of Glyphlet.
    """
    try:
        state = load_tensors(path)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"there is no checkpoint {path}",
            allowed="a run folder of `glyphlet train`, or a .pt file inside its checkpoints",
            next_step="check the path",
        ) from error
    except Exception as error:  # torch.load raises a dozen kinds for a damaged file
        raise CheckpointError(
            f"{path} is damaged or not a checkpoint: {unreadable(error)}",
            allowed="a .pt file that `glyphlet train` wrote",
            next_step="use another checkpoint of the run, such as best.pt",
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        found = f"format {state['format']}" if isinstance(state, dict) and "format" in state else "no format"
        raise CheckpointError(
            f"{path} is not a checkpoint that this version can read ({found})",
            allowed=f"format {FORMAT}",
            next_step="checkpoints of other projects: glyphlet import FILE --from PROJECT; glyphlet import --help lists them",
        )
    return state
