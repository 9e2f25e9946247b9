"""The command as a process of its own: signals, pipes, and a run folder that disappears."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glyphlet.data.labelfile import read_label_file
from glyphlet.train.log import read_log
from support import runs_in

COMMAND = Path(sys.executable).with_name("glyphlet")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("GLYPHLET_")}


@pytest.fixture
def training(digits, settings, tmp_path):
    """A training of 60 epochs in a folder with a space in its name, caught in the middle."""
    command = [
        COMMAND,
        "train",
        digits,
        "--runs",
        "my runs",
        *settings,
        "--set",
        "train.epochs=60",
        "--set",
        "train.patience=0",
    ]
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=tmp_path,
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    for line in process.stdout:
        if line.startswith("epoch    2"):
            break
    yield process
    process.kill()
    process.communicate()


def finish(process):
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_the_printed_command_goes_on(training, tmp_path, number, code):
    training.send_signal(number)
    returned, err = finish(training)
    assert returned == code
    message = re.fullmatch(
        r"glyphlet: interrupted in epoch (\d+) after (\d+) updates; everything is saved\. Next: go on with `(.*)`\.\n",
        err,
    )
    assert message, err
    epoch = int(message[1])
    assert epoch < 60
    verb, *arguments = shlex.split(message[3])
    assert verb == "glyphlet"
    if number == signal.SIGINT:  # goes on in the same way; once is enough
        return
    done = subprocess.run(
        [COMMAND, *arguments], cwd=tmp_path, env=ENVIRONMENT, text=True, capture_output=True, check=True
    )
    assert done.stderr == ""
    assert re.match(rf"epoch +{epoch} ", next(line for line in done.stdout.splitlines() if line.startswith("epoch")))
    assert "all epochs done after 60 epochs, 120 updates" in done.stdout
    (folder,) = runs_in(tmp_path / "my runs")
    assert [row["epoch"] for row in read_log(folder / "log.csv")] == list(range(1, 61))
    assert (folder / "report.html").exists()


def test_ctrl_c_twice_loses_nothing(training, tmp_path):
    training.send_signal(signal.SIGINT)
    time.sleep(0.01)
    training.send_signal(signal.SIGINT)
    code, err = finish(training)
    assert code in (130, -signal.SIGINT)
    assert err.count("glyphlet: interrupted") <= 1
    (folder,) = runs_in(tmp_path / "my runs")
    command = [COMMAND, "export", folder, "-o", tmp_path / "m.onnx"]
    subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True)
    assert (tmp_path / "m.onnx").exists()


def test_a_run_folder_that_is_deleted_in_the_middle(training, tmp_path):
    (folder,) = runs_in(tmp_path / "my runs")
    folder.rename(tmp_path / "gone")  # all at once; what `rm -r` does in the middle of a write depends on luck
    shutil.rmtree(tmp_path / "gone")
    code, err = finish(training)
    assert code == 2
    message = re.fullmatch(r"glyphlet: the run folder .* was deleted or moved while .*Next: .* with `(.*)`\.\n", err)
    assert message, err
    _, *arguments = shlex.split(message[1])
    done = subprocess.run(
        [COMMAND, *arguments], cwd=tmp_path, env=ENVIRONMENT, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "model.onnx").exists()


def test_a_reader_that_goes_away(job, digits, tmp_path):
    """`glyphlet read ... | head -1`, with more output than a pipe holds."""
    command = shlex.join([str(COMMAND), "read", "--json", "-m", str(job.model)])
    images = "$(for i in $(seq 30); do echo images/*.png; done)"
    script = f"set -o pipefail; {command} {images} 2> {tmp_path}/err.txt | head -1"
    done = subprocess.run(
        ["bash", "-c", script], cwd=digits.parent, env=ENVIRONMENT, text=True, capture_output=True, check=False
    )
    assert json.loads(done.stdout)["path"] == "images/000000.png"
    assert (tmp_path / "err.txt").read_text() == ""
    assert done.returncode == 0


def test_names_that_are_not_utf8(job, digits, tmp_path):
    """A file name may be any bytes; it is printed as it is."""
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        Path(os.fsdecode(name)).write_bytes(read_label_file(digits)[0].source.read_bytes())
    except OSError:
        pytest.skip("this file system wants UTF-8")
    done = subprocess.run([COMMAND, "read", "-m", job.model, name], env=ENVIRONMENT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(name + b"\t")


def test_python_m_is_the_command():
    done = subprocess.run([sys.executable, "-m", "glyphlet", "--version"], text=True, capture_output=True, check=True)
    assert re.fullmatch(r"glyphlet \d+\.\d+\.\d+\n", done.stdout)
