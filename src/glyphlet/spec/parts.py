"""What every section of a recipe shares, and the sections that name a model's parts and its characters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from glyphlet.charset import NAMED, Case, Charset, normalize
from glyphlet.errors import RecipeError


class Strict(BaseModel):
    """A section: no unknown keys, no changes, no infinities."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class PartSpec(Strict):
    """A part of a model: its registered name, and its options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})


class ModelSpec(Strict):
    """Which parts a recogniser is built from. `none` stands for no part where one is optional."""

    transform: PartSpec = PartSpec(name="none")
    backbone: PartSpec = PartSpec(name="micro")
    pyramid: PartSpec = PartSpec(name="none")
    neck: PartSpec = PartSpec(name="fold")
    head: PartSpec = PartSpec(name="ctc")
    widths: dict[str, Annotated[int, Field(ge=1)]] = {}
    """Sizes of layers that differ from what the options of their parts say, as pruning leaves them; see `models.widths`."""


def _folded(text: str, half_width: bool, case: Case) -> str:
    """A named charset in half-width forms or one case, each character once."""
    return "".join(dict.fromkeys(normalize(text, half_width, case)))


class CharsetSpec(Strict):
    """Where the characters come from: `name` (see `charset.NAMED`), `file`, `text`, or, with none of these, the labels
    of the training data.
    """

    name: str | None = None
    file: str | None = None
    text: str | None = None
    half_width: bool = False
    """Fold full-width forms of labels to half-width."""
    case: Literal["keep", "lower", "upper"] = "keep"
    """Put labels into lower or upper case."""

    def fixed(self) -> Charset | None:
        """The charset, or None when it is to be collected from the labels; raises as `resolve`."""
        return self.resolve([]) if self.name or self.file or self.text else None

    def resolve(self, labels: Iterable[str]) -> Charset:
        """The charset; `labels` are used when nothing else is given.

        Raises:
            CharsetError: the charset is malformed.
            RecipeError: more than one source is given.
        """
        given = {k: v for k in ("name", "file", "text") if (v := getattr(self, k)) is not None}
        if len(given) > 1:
            raise RecipeError(
                f"charset has {' and '.join(given)}",
                allowed="one of name, file, text, or none of them to collect the characters from the labels",
                next_step="remove all but one",
            )
        if self.name is not None:
            if self.name not in NAMED:
                Charset.named(self.name)  # raises, naming what there is
            text = _folded(NAMED[self.name], self.half_width, self.case)
            return Charset.from_text(text, self.half_width, self.case)
        if self.file is not None:
            return Charset.from_file(self.file, self.half_width, self.case)
        if self.text is not None:
            return Charset.from_text(self.text, self.half_width, self.case)
        return Charset.from_labels(labels, self.half_width, self.case)
