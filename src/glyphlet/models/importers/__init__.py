"""Read checkpoints of other projects into recognisers.

A state dict holds weights only. Geometry, colour, normalisation and the axis of a recurrence are facts of the origin,
and each importer fixes them and says so in its notes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glyphlet.models.importers.checkpoint import Imported, read_checkpoint
from glyphlet.models.importers.crnn import from_chinese_crnn, from_crnn_model, from_crnn_pytorch
from glyphlet.models.importers.micro_ocr import from_micro_ocr


@dataclass(frozen=True)
class Origin:
    """A project whose checkpoints are read.

    Args:
        read: from a path and a charset to a model.
        charset: the name of the charset that the project has by default; empty where it must be given.
        recurrence: whether `read` takes the axis of a recurrent layer, too.
    """

    read: Callable[..., Imported]
    charset: str = ""
    recurrence: bool = False


IMPORTERS: dict[str, Origin] = {
    "micro-ocr": Origin(from_micro_ocr, "alphanumeric", recurrence=True),
    "crnn-pytorch": Origin(from_crnn_pytorch, "lowercase36"),
    "chinese-crnn": Origin(from_chinese_crnn),
    "crnn-model": Origin(from_crnn_model),
}
"""What `glyphlet import --from` accepts."""

__all__ = [
    "IMPORTERS",
    "Imported",
    "Origin",
    "from_chinese_crnn",
    "from_crnn_model",
    "from_crnn_pytorch",
    "from_micro_ocr",
    "read_checkpoint",
]
