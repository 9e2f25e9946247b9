"""docs/serving.md says what the server does: its curl commands run, its tables are complete."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from glyphlet.server.errors import STATUSES
from glyphlet.server.patterns import KEPT, MAX_LENGTH, MAX_STATES
from glyphlet.server.settings import MIN_TOKEN, Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^curl .*$", PAGE, re.MULTILINE)


def rows(heading):
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    ][2:]


def test_there_are_three_commands():
    assert len(COMMANDS) == 3


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("base64")), reason="curl or base64 is not installed")
def test_the_commands_run(tmp_path, model_file, png):
    for name, text in (("a.png", "12"), ("b.jpg", "3"), ("line.png", "407")):
        (tmp_path / name).write_bytes(png(text))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GLYPHLET_")} | {
        "PYTHONPATH": str(ROOT / "src")
    }
    serve = [sys.executable, "-m", "glyphlet", "serve", str(model_file), "--port", "0"]
    with subprocess.Popen(serve, env=environment, text=True, stdout=subprocess.PIPE) as server:
        try:
            address = server.stdout.readline().split()[-1]
            found = []
            for command in COMMANDS:
                asked = command.replace("http://127.0.0.1:8000", address).replace("curl ", "curl -s --noproxy '*' ", 1)
                done = subprocess.run(
                    ["sh", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True
                )
                found.append([reading["text"] for reading in json.loads(done.stdout)["readings"]])
        finally:
            server.terminate()
    assert found == [["12", "3"], ["407"], ["407"]]
    assert server.returncode == 0


def test_every_status_stands_there():
    assert {int(status): when for status, when in rows("Errors")} == STATUSES


def test_every_limit_stands_there_with_its_default():
    options = {row[0].strip("`")[2:].replace("-", "_"): row[1].strip("`") for row in rows("Limits")}
    others = {"token", "threads", "cors", "log"}
    assert options == {f.name: str(f.default) for f in fields(Settings) if f.name not in others}
    for number in (MAX_LENGTH, f"{MAX_STATES:,}", KEPT):
        assert f" {number} " in PAGE.replace("\n", " ")
    assert f"A token has {MIN_TOKEN} characters" in PAGE
    assert Settings().max_held_bytes == 8 * Settings().max_bytes
    assert "at most 8 times `--max-bytes`" in PAGE


def test_every_metric_stands_there(serving):
    async def scenario(client):
        return (await client.get("/metrics")).text

    told = set(re.findall(r"^# TYPE (glyphlet_\w+) ", serving(scenario), re.MULTILINE))
    assert {row[0].strip("`") for row in rows("Metrics")} == {name for name in told if not name.endswith("_created")}
