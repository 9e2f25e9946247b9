"""`glyphlet serve`: lines over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glyphlet.runtime.shipped import DEFAULT


def serve(
    model: Annotated[Path, typer.Argument(help="Model file, or the name of a model that ships.")] = Path(DEFAULT),
    host: Annotated[
        str, typer.Option(help="Where to listen; any but this machine's own loopback needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes one that is free.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="GLYPHLET_TOKEN",
            show_default=False,
            help="What clients must send as `Authorization: Bearer`; better set GLYPHLET_TOKEN, which others do not see.",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Lines read at once; by default one a processor, up to 4.", show_default=False),
    ] = None,
    batch: Annotated[int, typer.Option(help="Lines read together; it does not change a text.")] = 32,
    queue: Annotated[int, typer.Option(help="Lines of all clients that may wait.")] = 256,
    max_bytes: Annotated[int, typer.Option(help="Bytes of a request.")] = 16_000_000,
    max_images: Annotated[int, typer.Option(help="Images of a request.")] = 64,
    max_pixels: Annotated[int, typer.Option(help="Pixels of an image.")] = 16_000_000,
    max_width: Annotated[int, typer.Option(help="Pixels of a line's width at the model's height.")] = 8192,
    timeout: Annotated[
        float, typer.Option(help="Seconds for the body of a request, and again for its reading.")
    ] = 10.0,
    stop: Annotated[float, typer.Option(help="Seconds that requests get to finish when the server is stopped.")] = 10.0,
    cors: Annotated[
        list[str] | None,
        typer.Option(help="Origin of a web page that may ask, such as https://example.org.", show_default=False),
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Log each request to the error stream.")] = False,
) -> None:
    """Serve a model over HTTP: POST /v1/read, a page at /, the interface at /docs, /healthz, /metrics.

    Prints the address when it answers. Ctrl-C or SIGTERM stops it after the requests under way.
    """
    from glyphlet.server.run import listen
    from glyphlet.server.run import serve as run
    from glyphlet.server.settings import Settings, default_threads

    settings = Settings(
        token=token or "", max_bytes=max_bytes, max_images=max_images, max_pixels=max_pixels, max_width=max_width, timeout=timeout, queue=queue,
        batch=batch, threads=threads or default_threads(), stop=stop, cors=tuple(cors or ()), log=log,
    )  # fmt: skip
    from glyphlet.runtime.reader import Reader

    reader = Reader(model, threads=1)  # the server's workers read side by side
    listening = listen(host, port, settings.token)
    name = reader.metadata.name
    raise typer.Exit(
        run(reader, settings, listening, lambda address: print(f"serving {name} at {address}", flush=True))
    )
