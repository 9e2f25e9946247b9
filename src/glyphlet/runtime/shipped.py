"""The finished models that come with Glyphlet, found by name.

They lie in the package's folder `weights`: `NAME.onnx`, the one-file model, and `cards.json` with what was measured of each.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).parents[1] / "weights"
CARDS = "cards.json"
DEFAULT = "print"
"""What reads where no model is named."""


def shipped_models() -> dict[str, Path]:
    """The models that ship, by name."""
    return {path.stem: path for path in sorted(WEIGHTS.glob("*.onnx"))}


def model_path(named: str | Path) -> Path:
    """The file of a model: of the one that ships under a name, or at a path.

    A name that ships always means that model, whatever lies in the working directory; a file of one's own that is called so is
    given with its whole path.

    >>> model_path("runs/latest/model.onnx").name
    'model.onnx'
    """
    return shipped_models().get(str(named), Path(named))


def those_that_ship() -> str:
    """What a message says of them.

    >>> those_that_ship().startswith("a model that ships: ")
    True
    """
    return f"a model that ships: {', '.join(shipped_models()) or 'none does here'}"


def shipped_rows() -> list[dict[str, Any]]:
    """What is known of each model that ships; docs/models has the whole cards.

    Returns:
        For each: `name`, `file_kb`, `reads` (what it is for), `ms` for a line of 320 pixels on one thread, and `accuracy`: of each
        set of real test lines the share read without an error (`exact`), the character error rate (`cer`) and the `lines`.
    """
    kept = WEIGHTS / CARDS
    cards = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    unknown: dict[str, Any] = {"reads": "", "ms": None, "accuracy": []}
    return [
        {"name": name, "file_kb": round(path.stat().st_size / 1024), **unknown, **cards.get(name, {})}
        for name, path in shipped_models().items()
    ]
