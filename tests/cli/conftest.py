"""The command in this process, and a small trained run that several tests read with."""

import io
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from rich.console import Console

from glyphlet.charset import Charset
from glyphlet.cli import main
from glyphlet.job import Job, run
from glyphlet.spec import SynthSpec
from glyphlet.synth.dataset import write_set
from support import TINY, tiny_recipe


@dataclass(frozen=True)
class Result:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    def refused(self, *fragments: str, code: int = 2) -> None:
        """One error in one sentence for a person, which holds these fragments."""
        assert self.code == code, self.err
        assert self.err.count("glyphlet: ") == 1, self.err
        assert "Traceback" not in self.err
        assert "internal error" not in self.err
        assert "Next: " in self.err
        for fragment in fragments:
            assert fragment in self.err


@pytest.fixture
def glyphlet(capsys, monkeypatch):
    """Runs `glyphlet ARGUMENTS...` as a shell would."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # `main` changes it
    monkeypatch.delenv("GLYPHLET_TRACEBACK", raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # `main` sets it

    def command(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["glyphlet", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return Result(code, *capsys.readouterr())

    return command


@pytest.fixture(scope="session")
def digits(tmp_path_factory) -> Path:
    """A label file of 40 rendered lines of two digits."""
    spec = SynthSpec(count=40, min_length=2, max_length=2)
    return write_set(spec, Charset.named("digits"), tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="session")
def job(digits, tmp_path_factory) -> Job:
    """A run of two epochs on them; it reads next to nothing."""
    torch.manual_seed(0)
    return run(tiny_recipe(digits), tmp_path_factory.mktemp("runs"), Console(file=io.StringIO()))


@pytest.fixture
def settings() -> list[str]:
    """Makes a training from label files tiny."""
    return [part for setting in TINY for part in ("--set", setting)]
