"""From errors to answers: a status, and JSON with the parts of the message.

{"error": {"problem": ..., "allowed": ..., "next": ...}}
"""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glyphlet.errors import GlyphletError, ImageError, RecipeError

RETRY_SECONDS = 1
"""When a client that was sent away may come back."""
PATHS = "/, /docs, /v1/read, /v1/model, /healthz, /metrics"
STATUSES = {
    400: "The body is malformed or empty, a query parameter is unknown, or the pattern cannot be used.",
    401: "The token is missing or wrong.",
    403: "The name that the server was called by, or the web page that asks, is not one that it trusts.",
    404: "There is nothing at this path.",
    405: "The path takes another method; `Allow` names it.",
    408: "The body did not arrive in time.",
    413: "The body has too many bytes, or too many images.",
    415: "The media type of the body is none that is read.",
    422: "No image of the request could be read: not an image, damaged, too many pixels, or too wide a line.",
    500: "An error inside Glyphlet; the server's log has it.",
    503: "Too much waits already, or the server is being stopped; `Retry-After` says when to come back.",
    504: "The reading did not end in time.",
}
"""Every status of an error, and what it means."""


class RequestError(GlyphletError):
    """A request that is not answered as it hoped.

    Args:
        status: the HTTP status.
        problem, allowed, next_step: as of any `GlyphletError`.
        headers: that the answer carries beside.
    """

    def __init__(
        self,
        status: int,
        problem: str,
        *,
        allowed: str = "",
        next_step: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(problem, allowed=allowed, next_step=next_step)
        self.status = status
        self.headers = headers or {}


def busy(problem: str, next_step: str = "send it again a little later") -> RequestError:
    """The error for who comes when too much waits already."""
    return RequestError(503, problem, next_step=next_step, headers={"Retry-After": str(RETRY_SECONDS)})


def internal(error: Exception) -> RequestError:
    """The error for a fault of our own."""
    return RequestError(
        500,
        f"internal error: {type(error).__name__}",
        next_step="look into the server's log, and report what stands there",
    )


def status_of(error: GlyphletError) -> int:
    """The HTTP status of an error.

    >>> status_of(ImageError("a.png is damaged")), status_of(RecipeError("pattern '(' ..."))
    (422, 400)
    """
    if isinstance(error, RequestError):
        return error.status
    return 422 if isinstance(error, ImageError) else 400 if isinstance(error, RecipeError) else 500


def described(error: GlyphletError) -> dict[str, Any]:
    """An error as JSON has it, in an answer or in the place of a reading."""
    return {"error": {"problem": error.problem, "allowed": error.allowed, "next": error.next_step}}


def bare(error: GlyphletError) -> GlyphletError:
    """An error that is kept as a value: without the frames it came through, which would hold images in memory."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def answer(error: GlyphletError) -> JSONResponse:
    """An error as an answer."""
    return JSONResponse(described(error), status_of(error), getattr(error, "headers", None))


def answered(request: Request, error: Exception) -> Response:
    """Any error of the application or of the framework, in the one form."""
    if isinstance(error, GlyphletError):
        return answer(error)
    if not isinstance(error, HTTPException):
        return answer(RequestError(400, f"the request is not valid: {error}", next_step="see /docs"))
    headers = dict(error.headers or {})
    hints = {404: (PATHS, "correct the path"), 405: (headers.get("Allow", ""), "use this method")}
    allowed, next_step = hints.get(error.status_code, ("", "see /docs"))
    problem = f"{request.method} {request.url.path[:200]}: {str(error.detail).lower()}"
    return answer(RequestError(error.status_code, problem, allowed=allowed, next_step=next_step, headers=headers))


__all__ = [
    "RETRY_SECONDS",
    "STATUSES",
    "RequestError",
    "answer",
    "answered",
    "bare",
    "busy",
    "described",
    "internal",
    "status_of",
]
