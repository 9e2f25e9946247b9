"""Writes docs/cli.md from the command line itself.

    python docs/generate_cli.py

The options are read off the signatures of the verbs, not off `--help`, so that the page is the same on every terminal
and with every version of Typer. tests/test_docs.py fails when the page is out of date.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
import typer.models

from glyphlet.cli import app

PAGE = Path(__file__).with_name("cli.md")
KINDS = {int: "number", float: "number", str: "text", Path: "path"}
HEAD = """\
# Command line

This page is made from the program by `docs/generate_cli.py`. Do not edit it.

`glyphlet --version` prints the version. Every verb has `--help` (`-h`). What the exit codes mean stands in
[reading.md](reading.md#exit-codes).

"""


def escaped(text: str) -> str:
    """A text that Markdown shows as it is: `<` and `&` outside code spans, `|` everywhere (it divides table cells)."""
    pieces = text.split("`")
    pieces[::2] = [piece.replace("&", "&amp;").replace("<", "&lt;") for piece in pieces[::2]]
    return "`".join(pieces).replace("|", "\\|")


def kind_of(annotation: Any) -> str:
    """What a value is, in a word: `path`, or `path, may be repeated`."""
    if isinstance(annotation, types.UnionType):  # X | None
        annotation = next(a for a in typing.get_args(annotation) if a is not type(None))
    if typing.get_origin(annotation) is list:
        return f"{KINDS[typing.get_args(annotation)[0]]}, may be repeated"
    return KINDS[annotation]


def default_of(value: Any) -> str:
    """A default as it would be typed; empty when there is none."""
    return "" if value is None else f"`{value}`"


def parameters(verb: Callable[..., Any]) -> Iterator[tuple[inspect.Parameter, Any, Any]]:
    """Each parameter of a verb with its bare type and what Typer is told about it."""
    hints = typing.get_type_hints(verb, include_extras=True)
    for parameter in inspect.signature(verb).parameters.values():
        kind, info = typing.get_args(hints[parameter.name])
        yield parameter, kind, info


def row(parameter: inspect.Parameter, kind: Any, info: Any) -> tuple[str, str, str, str]:
    """An option: its names, its value, its default, its meaning."""
    long = "--" + parameter.name.replace("_", "-")
    # Inside Annotated, Typer's first argument, `default`, is the first name.
    names = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]
    if kind is bool:
        names = names or [long, "--no-" + long.removeprefix("--")]
        value, default = "", "on" if parameter.default else "off"
    else:
        value = kind_of(kind)
        default = "required" if parameter.default is inspect.Parameter.empty else default_of(parameter.default)
    return ", ".join(f"`{name}`" for name in names or [long]), value, default, escaped(info.help or "")


def section(name: str, verb: Callable[..., Any]) -> str:
    """The section of one verb."""
    arguments, options = [], []
    usage = f"glyphlet {name}"
    for parameter, kind, info in parameters(verb):
        if isinstance(info, typer.models.ArgumentInfo):
            many = typing.get_origin(kind) is not Path and "repeated" in kind_of(kind)
            sign = parameter.name.upper() + ("..." if many else "")
            usage += f" {sign}" if parameter.default is inspect.Parameter.empty else f" [{sign}]"
            arguments.append(f"| `{sign}` | {escaped(info.help or '')} |")
        else:
            options.append("| " + " | ".join(row(parameter, kind, info)) + " |")
    text = f"## glyphlet {name}\n\n```text\n{usage} [OPTIONS]\n```\n\n{escaped(inspect.getdoc(verb) or '')}\n"
    if arguments:
        text += "\n| Argument | Meaning |\n|---|---|\n" + "\n".join(arguments) + "\n"
    if options:
        text += "\n| Option | Value | Default | Meaning |\n|---|---|---|---|\n" + "\n".join(options) + "\n"
    return text


def verbs() -> dict[str, Callable[..., Any]]:
    """The verbs by name, in the order in which `glyphlet --help` lists them; then those of a group, as `data check`."""
    found = _verbs_of(app, "")
    for group in app.registered_groups:
        inner = group.typer_instance
        assert inner is not None
        found |= _verbs_of(inner, f"{inner.info.name} ")
    return found


def _verbs_of(of: typer.Typer, prefix: str) -> dict[str, Callable[..., Any]]:
    return {
        prefix + (info.name or info.callback.__name__.replace("_", "-")): info.callback
        for info in of.registered_commands
        if info.callback is not None
    }


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(section(name, verb) for name, verb in verbs().items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
