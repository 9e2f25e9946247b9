"""The command line: one file a verb. Heavy imports stand inside the functions, so that `--help` is quick.

Exit codes: 0 done; 1 done, but some lines could not be read or a figure was not reached; 2 nothing could be done (bad
input, settings or files); 128 + n stopped by signal n. A person sees one sentence, never a traceback;
`GLYPHLET_TRACEBACK=1` shows it to a developer.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from glyphlet import __version__
from glyphlet.cli.calibrate import calibrate
from glyphlet.cli.data import app as data
from glyphlet.cli.demo import demo
from glyphlet.cli.evaluate import evaluate
from glyphlet.cli.export import export
from glyphlet.cli.fit import fit
from glyphlet.cli.importer import import_
from glyphlet.cli.lm import lm
from glyphlet.cli.models import models
from glyphlet.cli.read import read
from glyphlet.cli.serve import serve
from glyphlet.cli.shrink import app as shrink
from glyphlet.cli.site import site
from glyphlet.cli.synth import synth
from glyphlet.cli.train import train
from glyphlet.errors import GlyphletError, Interrupted

EXTRAS = {
    **dict.fromkeys(("fastapi", "starlette", "uvicorn", "python_multipart", "prometheus_client"), "serve"),
    **dict.fromkeys(("pypdfium2", "read --page"), "pages"),
}
"""Modules that come with another extra than `train`. OpenCV belongs to pages as well as to training."""


class _Stopped(Exception):
    """Ctrl-C, or a reader of our output that has gone away (`| head`)."""


class _Verbs(TyperGroup):
    """Hands both to `main`; Typer would end the process itself, with codes of its own."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb that was asked for."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as error:
            raise _Stopped from error


app = typer.Typer(
    name="glyphlet",
    cls=_Verbs,
    help="Trains, ships and runs very small text recognisers.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for verb in (demo, synth, train, fit, evaluate, calibrate, export, read, serve, lm, models, site):
    app.command()(verb)
app.command("import")(import_)
app.add_typer(data)
app.add_typer(shrink)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"glyphlet {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Trains, ships and runs very small text recognisers."""


def _explain(error: OSError) -> str:
    """An error of the operating system that no part foresaw."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"the disk is full{where}. Next: free some space and run the same command again."
    return f"{error.strerror or error}{where}. Next: check the path and its rights."


def _to_install(module: str | None) -> str:
    """The command that brings a module which is not there; most come with the extra for training."""
    part = (module or "").partition(".")[0]
    extra = EXTRAS.get("read --page" if part == "cv2" and "--page" in sys.argv else part, "train")
    return f"pip install 'glyphlet[{extra}]'"


def _tell(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    """A warning as a person wants it: what is told to users as a sentence, what is told to developers not at all."""
    if issubclass(category, UserWarning):
        typer.secho(f"glyphlet: {message}", err=True, fg="yellow")


def _thread_error(args: threading.ExceptHookArgs) -> None:
    """An error of the operating system in TensorBoard's thread is the main thread's, too; any other is shown."""
    if not isinstance(args.exc_value, OSError):
        threading.__excepthook__(args)


def main() -> None:
    """The entry point of the `glyphlet` command."""
    # Before torch is loaded: threads that wait for each other must not spin. Beside other busy programs a training took more than
    # ten times as long with spinning threads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    show = bool(os.environ.get("GLYPHLET_TRACEBACK"))
    if not show:
        warnings.showwarning = _tell
        # TensorBoard writes in a thread of its own; the main thread hears of its errors, too.
        threading.excepthook = _thread_error
    try:
        app()
    except GlyphletError as error:
        if show:
            raise
        told = False
        if isinstance(error, Interrupted):
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C has nothing left to stop
            told = os.environ.get("RANK", "0") != "0"  # by the first process of `torchrun`
        if not told:
            typer.secho(f"glyphlet: {error}", err=True, fg="red")
        sys.exit(error.exit_code)
    except _Stopped as stopped:
        if isinstance(stopped.__cause__, KeyboardInterrupt):
            typer.secho("glyphlet: interrupted", err=True, fg="red")
            sys.exit(130)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if show:
            raise
        typer.secho(f"glyphlet: {_explain(error)}", err=True, fg="red")
        sys.exit(2)
    except ModuleNotFoundError as error:
        if show:
            raise
        typer.secho(f"glyphlet: this needs {error.name}. Next: {_to_install(error.name)}.", err=True, fg="red")
        sys.exit(2)
    except Exception as error:
        if show:
            raise
        typer.secho(
            f"glyphlet: internal error: {type(error).__name__}: {error}. "
            "Next: run it again with GLYPHLET_TRACEBACK=1 and report what it prints.",
            err=True, fg="red",
        )  # fmt: skip
        sys.exit(70)


__all__ = ["app", "main"]
