"""Which settings of a run may be changed before it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glyphlet.errors import CheckpointError

FREE = (
    "epochs", "patience", "target", "target_epochs", "accelerator", "devices", "threads", "workers", "cache_mb", "samples",
    "keep_every",
)  # fmt: skip
"""Settings under `train` that change neither the order of the lines nor what an update is."""
_LINES = ("train", "validation", "test")
PATHS = ("path", "images", "dictionary", "file", "text_file", "fonts", "photos", "glyphs", "folder")
"""Settings of sources, charsets, rendered lines and effects whose values are paths."""


def check_unchanged(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with other settings than a run was begun with.

    Paths may differ, since data may be moved; lines and charset are compared by themselves. So may `FREE`, and what only
    describes.

    Args:
        before: the recipe in the checkpoint, as plain values.
        now: the recipe of today.

    Raises:
        CheckpointError: with the first setting that differs, and both values.
    """
    found = _difference(_comparable(before), _comparable(now), "")
    if found:
        where, old, new = found
        raise CheckpointError(
            f"{where} of this run has changed from {old} to {new}",
            allowed=f"the settings that it was begun with; these may change: {', '.join('train.' + name for name in FREE)}",
            next_step="put it back in the recipe.yaml of the run, or train from its weights: glyphlet train ... --start RUN",
        )


def _comparable(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What of a recipe must stay."""
    kept = {key: recipe.get(key) for key in ("model", "image", "augment", "train", "data", "start", "teacher")}
    kept["train"] = {key: value for key, value in (kept["train"] or {}).items() if key not in FREE}
    kept["data"] = {k: _pathless(v) if k in _LINES else v for k, v in (kept["data"] or {}).items() if k != "test"}
    if kept["start"]:
        start = {key: value for key, value in kept["start"].items() if key not in ("path", "check")}
        if start.get("replay"):
            start["replay"] = {**start["replay"], "source": _pathless(start["replay"]["source"])}
        kept["start"] = start
    kept["augment"], kept["teacher"] = _pathless(kept["augment"]), _pathless(kept["teacher"])
    return kept


def _pathless(value: Any) -> Any:
    """Sources without their paths; a text stands for the path of one."""
    if isinstance(value, str):
        return None
    if isinstance(value, list):
        return [_pathless(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {key: _pathless(item) if _holds_sources(item) else item for key, item in value.items() if key not in PATHS}


def _holds_sources(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(item, Mapping) for item in value))


def _difference(before: Any, now: Any, where: str) -> tuple[str, Any, Any] | None:
    """Where two values differ first. A section's setting that only one version of Glyphlet knows is none; parts have only the
    options that the recipe gives, and what has no width is as built.
    """
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        part = "name" in before or where == "model.widths"
        for key in [*before, *(key for key in now if key not in before)]:
            if part and (key in before) != (key in now):
                return f"{where}.{key}", before.get(key, "its default"), now.get(key, "its default")
            if key in before and key in now:
                found = _difference(before[key], now[key], f"{where}.{key}" if where else key)
                if found:
                    return found
        return None
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        parts = (_difference(*pair, f"{where}[{place}]") for place, pair in enumerate(zip(before, now, strict=True)))
        return next((part for part in parts if part), None)
    return None if before == now else (where, before, now)


__all__ = ["FREE", "PATHS", "check_unchanged"]
