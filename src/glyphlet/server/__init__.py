"""Reads lines over HTTP: `glyphlet serve`.

    request -> gate (names, token, headers) -> body (limits) -> batching (one queue for all clients) -> Reader -> JSON

`create_app` makes the application of a reader, for any ASGI server; `run.serve` runs it with uvicorn.
"""
