"""The application: what each path answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from glyphlet import __version__
from glyphlet.decode.reading import Reading
from glyphlet.errors import GlyphletError
from glyphlet.runtime.reader import Reader
from glyphlet.server.batching import Batcher, Outcome
from glyphlet.server.body import uploads
from glyphlet.server.budget import Budget
from glyphlet.server.describe import page as described_page
from glyphlet.server.describe import with_scheme, with_token
from glyphlet.server.errors import RequestError, answered, described
from glyphlet.server.gate import METRICS, MODEL, READ, Gate
from glyphlet.server.metrics import Metrics
from glyphlet.server.multipart import Upload
from glyphlet.server.page import page_files
from glyphlet.server.patterns import Patterns
from glyphlet.server.schema import READ_BODY, HealthAnswer, ModelAnswer, ReadAnswer, errors
from glyphlet.server.settings import Settings

PATTERN = (
    "A regular expression for the whole line, or a name: luhn, iban, iso6346, mrz-td1-number, mrz-td1-dates, mrz-td2, mrz-td3, "
    "mrz-td3-names, date, date-us."
)


def create_app(reader: Reader, settings: Settings | None = None) -> FastAPI:
    """The application that reads with a reader, for any ASGI server that runs its lifespan.

    Args:
        reader: reads plainly, with one thread, for the workers read side by side; patterns come with requests.
        settings: limits and token; the defaults without.
    """
    service = Service(reader, settings or Settings())
    app = FastAPI(
        title="Glyphlet", version=__version__, description=f"Reads text lines with the model `{service.name}`.",
        docs_url=None, redoc_url=None, lifespan=service.lifespan,
    )  # fmt: skip
    app.state.service = service
    _add_paths(app, service)
    _add_pages(app, service)
    for kind in (GlyphletError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, answered)
    paths = frozenset(path for route in app.routes if isinstance(path := getattr(route, "path", None), str))
    app.add_middleware(Gate, settings=service.settings, metrics=service.metrics, paths=paths)
    if service.settings.cors:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(service.settings.cors), allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )  # fmt: skip
    return app


class Service:
    """What the paths share.

    Args:
        reader: reads plainly.
        settings: limits and token.
    """

    def __init__(self, reader: Reader, settings: Settings) -> None:
        self.reader, self.settings = reader, settings
        self.name = reader.metadata.name
        self.metrics = Metrics(reader.metadata)
        self.batcher = Batcher(settings, self.metrics)
        self.budget = Budget(settings.max_held_bytes)
        self.patterns = Patterns(reader)

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Starts the workers, and ends them when the server stops."""
        self.batcher.start()
        yield
        self.patterns.close()
        await asyncio.to_thread(self.batcher.close, self.settings.stop)

    async def read(self, request: Request, pattern: Annotated[str, Query(description=PATTERN)] = "") -> Response:
        """Read lines: one image or more, each of one line.

        If no image could be read, the answer is the error of the first one.
        """
        _check_parameters(request)
        with self.budget.share() as share:
            try:
                async with asyncio.timeout(self.settings.timeout):
                    images = await uploads(request, self.settings, share)
            except TimeoutError as error:
                raise _late(408, "the body did not arrive", self.settings.timeout) from error
            except ClientDisconnect:
                return Response(status_code=499)  # nobody gets it
            outcomes = await self._outcomes(request, pattern, images)
        if outcomes is None:
            return Response(status_code=499)
        failed = [outcome for outcome in outcomes if isinstance(outcome, GlyphletError)]
        if len(failed) == len(outcomes):
            raise failed[0]
        return JSONResponse({"model": self.name, "readings": [_entry(outcome) for outcome in outcomes]})

    async def _outcomes(self, request: Request, pattern: str, images: list[Upload]) -> list[Outcome] | None:
        """What became of each image; None if the client went away meanwhile."""

        async def reading() -> list[Outcome]:
            return await self.batcher.read(await self.patterns.reader(pattern), images)

        try:
            async with asyncio.timeout(self.settings.timeout):
                return await _unless_gone(request, reading())
        except TimeoutError as error:
            raise _late(504, "the reading did not end", self.settings.timeout) from error

    async def model(self) -> Response:
        """What the model is, and what a request may bring."""
        about, limits = self.reader.metadata, self.settings
        return JSONResponse(
            {
                "name": self.name,
                "charset": about.charset.text,
                "head": about.head,
                "height": about.geometry.height,
                "channels": about.geometry.channels,
                "patterns": about.head == "ctc",
                "version": __version__,
                "limits": {
                    key: getattr(limits, key) for key in ("max_bytes", "max_images", "max_pixels", "max_width", "timeout")
                },
            }
        )  # fmt: skip

    async def health(self) -> Response:
        """Whether the server answers. It is up as soon as the model is loaded."""
        return JSONResponse({"status": "ok"})

    async def counted(self) -> Response:
        """Metrics in the text format of Prometheus."""
        return Response(self.metrics.page(), media_type=CONTENT_TYPE_LATEST)


async def _unless_gone(request: Request, reading: Coroutine[Any, Any, list[Outcome]]) -> list[Outcome] | None:
    """The outcomes; None if the client goes away first, and then the reading is given up."""
    work = asyncio.ensure_future(reading)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await work if work.done() else None
    finally:
        work.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _entry(outcome: Outcome) -> dict[str, Any]:
    return outcome.to_dict() if isinstance(outcome, Reading) else described(outcome)


def _late(status: int, problem: str, seconds: float) -> RequestError:
    return RequestError(status, f"{problem} in {seconds:g} seconds", next_step="send fewer or smaller images, or later")


def _check_parameters(request: Request) -> None:
    """A misspelt parameter must not pass for none."""
    for name in request.query_params:
        if name != "pattern":
            raise RequestError(
                400,
                f"the address has a parameter {name[:100]!r}",
                allowed="pattern",
                next_step="correct or leave it out",
            )


def _add_paths(app: FastAPI, service: Service) -> None:
    guarded = with_token(service.settings)
    app.add_api_route(
        READ, service.read, methods=["POST"], response_model=None, openapi_extra={**READ_BODY, **guarded}, operation_id="read",
        responses={200: {"model": ReadAnswer}, **errors(400, 401, 403, 408, 413, 415, 422, 500, 503, 504)},
    )  # fmt: skip
    app.add_api_route(
        MODEL, service.model, response_model=None, openapi_extra=guarded, operation_id="model",
        responses={200: {"model": ModelAnswer}, **errors(401, 403)},
    )  # fmt: skip
    app.add_api_route(
        "/healthz", service.health, response_model=None, operation_id="health",
        responses={200: {"model": HealthAnswer}, **errors(403)},
    )  # fmt: skip
    app.add_api_route(
        METRICS, service.counted, response_model=None, openapi_extra=guarded, operation_id="metrics",
        response_class=Response, responses={200: {"content": {"text/plain": {}}}, **errors(401, 403)},
    )  # fmt: skip


def _add_pages(app: FastAPI, service: Service) -> None:
    """The page at `/`, its files, and the description at `/docs`."""

    plain = app.openapi

    def described() -> dict[str, Any]:
        return with_scheme(plain(), service.settings)

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI has it done

    async def docs(request: Request) -> Response:
        return HTMLResponse(described_page(app.openapi()))

    app.router.routes.append(Route("/docs", docs))
    for name, (content, media_type) in page_files().items():
        app.router.routes.append(Route(f"/{name}", _fixed(content, media_type)))
        if name == "index.html":
            app.router.routes.append(Route("/", _fixed(content, media_type)))


def _fixed(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    async def fixed(request: Request) -> Response:
        return Response(content, media_type=media_type, headers={"cache-control": "no-cache"})

    return fixed


__all__ = ["Service", "create_app"]
