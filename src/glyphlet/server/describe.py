"""The page `/docs`: the description of the interface as plain HTML. It loads nothing from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from glyphlet.server.page import STYLE
from glyphlet.server.settings import Settings

SECURITY = "token"


def with_token(settings: Settings) -> dict[str, Any]:
    """What the description of a path says where a token is needed; nothing where none is."""
    return {"security": [{SECURITY: []}]} if settings.token else {}


def with_scheme(openapi: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The description of the interface, with the kind of token where one is needed."""
    if settings.token:
        openapi["components"]["securitySchemes"] = {SECURITY: {"type": "http", "scheme": "bearer"}}
    return openapi


def page(openapi: dict[str, Any]) -> str:
    """The page.

    Args:
        openapi: the description as OpenAPI has it.
    """
    paths = "".join(
        _operation(path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(
        _schema(name, schema) for name, schema in openapi.get("components", {}).get("schemas", {}).items()
    )
    info = openapi["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="{STYLE}"></head><body><main><h1>{title}</h1>'
        f'<p>{_prose(info.get("description", ""))} <a href="openapi.json">openapi.json</a></p>'
        f"{paths}<h2>Answers</h2>{schemas}</main></body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    needs = "<p>Needs <code>Authorization: Bearer TOKEN</code>.</p>" if operation.get("security") else ""
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>{_paragraphs(operation.get('description', ''))}{needs}"
        f"{_parameters(operation)}{_bodies(operation)}{_responses(operation)}"
    )


def _parameters(operation: dict[str, Any]) -> str:
    rows = [
        [_code(p["name"]), escape(p["in"]), _prose(p.get("description", ""))] for p in operation.get("parameters", [])
    ]
    return _table(["Parameter", "In", "What"], rows)


def _bodies(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    rows = [
        [_code(media), f"<pre>{escape(json.dumps(of.get('schema', {}), indent=1))}</pre>"]
        for media, of in content.items()
    ]
    return _table(["Body", "Form"], rows)


def _responses(operation: dict[str, Any]) -> str:
    rows = [
        [_code(status), _prose(of.get("description", "")), _answer(of.get("content", {}))]
        for status, of in operation.get("responses", {}).items()
    ]
    return _table(["Status", "When", "Answer"], rows)


def _answer(content: dict[str, Any]) -> str:
    return " or ".join(_kind(of["schema"]) if of.get("schema") else _code(media) for media, of in content.items())


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = [
        [_code(key), _kind(value), _prose(value.get("description", ""))]
        for key, value in schema.get("properties", {}).items()
    ]
    return f'<h3 id="{escape(name)}">{escape(name)}</h3>{_paragraphs(schema.get("description", ""))}' + _table(
        ["Field", "Kind", "What"], rows
    )


def _kind(schema: dict[str, Any]) -> str:
    """A kind of value, linked where it has a table of its own."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(str(schema.get("type", "")))


def _table(head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr></thead><tbody>{body}</tbody></table>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _prose(text: str) -> str:
    """Text with `code` marks as HTML."""
    pieces = escape(" ".join(text.split())).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_prose(part)}</p>" for part in text.split("\n\n") if part.strip())


__all__ = ["SECURITY", "page", "with_scheme", "with_token"]
