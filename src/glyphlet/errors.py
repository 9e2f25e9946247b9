"""Every error that Glyphlet raises on purpose.

    GlyphletError
    ├── ImageError         an image cannot be read or has a shape that nothing can be read from
    ├── LabelError         a label file is unreadable, empty or malformed
    ├── CharsetError       a charset is malformed, or a text holds characters outside it
    ├── RecipeError        a recipe or a setting is not valid
    ├── AlignmentError     a label has too many characters for the time steps of its image, or for the model
    ├── TrainingError      training cannot start, go on or be resumed
    ├── CheckpointError    a checkpoint is missing, damaged or of another model
    ├── ExportError        an exported file would not read as the trained model does
    ├── CompressionError   a model cannot be made smaller as asked
    ├── ModelFileError     a file is not a Glyphlet model, is damaged, or needs a newer version
    └── Interrupted        Ctrl-C or SIGTERM came, and everything is saved

A message says what is wrong with which value, what is allowed, and what to do next. The command line prints it without
a traceback and exits with the error's `exit_code`; a program may catch `GlyphletError` for all of them.
"""

from __future__ import annotations


class GlyphletError(Exception):
    """Base class.

    Args:
        problem: what is wrong, naming the value and where it was found.
        allowed: what would have been accepted.
        next_step: what the user can do about it.
    """

    exit_code = 2
    """What the command line exits with."""

    def __init__(self, problem: str, *, allowed: str = "", next_step: str = "") -> None:
        self.problem = problem
        self.allowed = allowed
        self.next_step = next_step
        parts = [problem.rstrip(".")]
        if allowed:
            parts.append(f"Allowed: {allowed.rstrip('.')}")
        if next_step:
            parts.append(f"Next: {next_step.rstrip('.')}")
        super().__init__(". ".join(parts) + ".")


class ImageError(GlyphletError):
    """An image cannot be read, or is not something that text can be read from."""


class LabelError(GlyphletError):
    """A label file is unreadable, empty or malformed."""


class CharsetError(GlyphletError):
    """A charset is malformed, or a text holds characters outside it."""


class RecipeError(GlyphletError):
    """A recipe, a setting or a combination of parts is not valid."""


class AlignmentError(GlyphletError):
    """A label has more characters than its image has time steps (CTC cannot align it)."""


class TrainingError(GlyphletError):
    """Training cannot start, go on or be resumed."""


class CheckpointError(GlyphletError):
    """A checkpoint is missing, damaged or belongs to another model."""


class ExportError(GlyphletError):
    """An exported file would not read as the trained model does."""


class CompressionError(GlyphletError):
    """A model cannot be made smaller as asked."""


class ModelFileError(GlyphletError):
    """A file is not a Glyphlet model, is damaged, or was written by a newer version."""


class Interrupted(GlyphletError):
    """Ctrl-C or SIGTERM came; everything is saved.

    Args:
        number: the number of the signal; a shell expects 128 more as the exit code.
    """

    def __init__(self, problem: str, number: int, *, next_step: str) -> None:
        super().__init__(problem, next_step=next_step)
        self.exit_code = 128 + number
