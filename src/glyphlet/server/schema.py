"""What the description of the interface (OpenAPI) says of bodies, answers and errors. Nothing is validated with these."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from glyphlet.server.errors import STATUSES


class Problem(BaseModel):
    """What is wrong and what to do."""

    problem: str = Field(description="What is wrong, with the value.")
    allowed: str = Field(description="What would have been accepted; empty where there is nothing to choose.")
    next: str = Field(description="What to do about it.")


class ErrorAnswer(BaseModel):
    """Every error has this form."""

    error: Problem


class CharacterAnswer(BaseModel):
    """A character of a reading."""

    char: str
    confidence: float = Field(ge=0, le=1)
    left: float | None = Field(description="First column in pixels of the image; null where the model does not know.")
    right: float | None = Field(description="First column after it.")


class ReadingAnswer(BaseModel):
    """What was read from one image."""

    text: str
    confidence: float = Field(ge=0, le=1)
    characters: list[CharacterAnswer]
    raw: str = Field(description="A sign for each time step.")
    source: str = Field(description="The file name of the part, or `image N`, counted from 1.")
    reason: str | None = Field(default=None, description="Why the text is empty; there only where there is a reason.")


class ReadAnswer(BaseModel):
    """Answers to `POST /v1/read`."""

    model: str
    readings: list[ReadingAnswer | ErrorAnswer] = Field(
        description="One entry an image, in their order. An image that could not be read has an error in its place."
    )


class Limits(BaseModel):
    """What a request may bring."""

    max_bytes: int
    max_images: int
    max_pixels: int
    max_width: int
    timeout: float


class ModelAnswer(BaseModel):
    """The model and the limits."""

    name: str
    charset: str = Field(description="Every character that it can write.")
    head: str
    height: int = Field(description="Rows that each line is scaled to.")
    channels: int
    patterns: bool = Field(description="Whether it can be asked for a pattern.")
    version: str = Field(description="Of Glyphlet.")
    limits: Limits


class HealthAnswer(BaseModel):
    """The server answers."""

    status: str


_IMAGE = {"type": "string", "contentMediaType": "application/octet-stream"}
READ_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {
                        "image": {"type": "array", "minItems": 1, "items": _IMAGE, "description": "One part an image."}
                    },
                }
            },
            "image/*": {"schema": _IMAGE},
            "application/octet-stream": {"schema": _IMAGE},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["images"],
                    "additionalProperties": False,
                    "properties": {
                        "images": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "description": "Base64, or a data URL in base64."},
                        }
                    },
                }
            },
        },
    }
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a path, for its description.

    >>> errors(404)[404]["description"]
    'There is nothing at this path.'
    """
    return {status: {"model": ErrorAnswer, "description": STATUSES[status]} for status in statuses}


__all__ = ["READ_BODY", "ErrorAnswer", "HealthAnswer", "ModelAnswer", "ReadAnswer", "errors"]
