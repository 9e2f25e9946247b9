"""`glyphlet serve` as a process of its own, on loopback: the address it prints, how it stops, and what it refuses."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from glyphlet.errors import GlyphletError
from glyphlet.server.run import address_of, listen

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("GLYPHLET_")} | {"PYTHONPATH": str(ROOT / "src")}
PNG = {"Content-Type": "image/png"}


def started(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "glyphlet", "serve", *map(str, arguments)],
        env=ENVIRONMENT | environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
def served(model_file):
    """Starts servers; gives the process and its address."""
    processes = []

    def start(*arguments, **environment):
        process = started(model_file, "--port", 0, *arguments, **environment)
        processes.append(process)
        line = process.stdout.readline()
        found = re.fullmatch(r"serving grey at (http://\S+:\d+)\n", line)
        assert found, line + process.communicate(timeout=20)[1]
        return process, found[1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_reads_logs_and_stops(served, png):
    process, address = served("--log")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
    with httpx.Client(base_url=address, trust_env=False) as client:
        answer = client.post("/v1/read", files=[("image", ("a.png", png("407")))])
        assert answer.json()["readings"][0]["text"] == "407"
        assert "server" not in answer.headers
        process.send_signal(signal.SIGTERM)  # while the connection is open, and idle
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert re.fullmatch(r'\S+ \S+ 127\.0\.0\.1:\d+ - "POST /v1/read HTTP/1\.1" 200\n', err)


def port_of(address):
    return int(address.rpartition(":")[2])


def begun(address, length):
    """A connection whose request waits for its body; the server has said that it does."""
    connection = socket.create_connection(("127.0.0.1", port_of(address)), timeout=20)
    connection.sendall(
        b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nExpect: 100-continue\r\n"
        + f"Content-Length: {length}\r\n\r\n".encode()
    )
    assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
    return connection


def wait_until_closed(address):
    """Until no connection is taken any more."""
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port_of(address)), timeout=5).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("the server still takes connections")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_under_way_is_finished(served, png, number):
    """The body of a request has yet to arrive when the signal comes."""
    process, address = served()
    body = png("123")
    with begun(address, len(body)) as connection:
        connection.sendall(body[:50])
        process.send_signal(number)
        wait_until_closed(address)
        connection.sendall(body[50:])
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"text":"123"' in answer
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_what_does_not_end_in_time_is_cut_off(served):
    process, address = served("--stop", "0.3")
    with begun(address, 9) as connection:
        process.send_signal(signal.SIGTERM)
        assert connection.recv(65536).startswith(b"HTTP/1.1 503")
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (1, "glyphlet: 1 request was cut off\n")


def test_a_second_signal_ends_it_at_once(served):
    process, address = served("--stop", "60", "--timeout", "60")
    with begun(address, 9):
        process.send_signal(signal.SIGINT)
        wait_until_closed(address)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_token_from_the_environment(served, png):
    _, address = served(GLYPHLET_TOKEN="0123456789abcdef")
    with httpx.Client(base_url=address, trust_env=False) as client:
        assert client.post("/v1/read", content=png("1"), headers=PNG).status_code == 401
        right = PNG | {"Authorization": "Bearer 0123456789abcdef"}
        assert client.post("/v1/read", content=png("1"), headers=right).status_code == 200


def test_many_connections_at_once(served, png):
    """Real sockets, four at a time, each kept alive; every answer is its own image's."""
    _, address = served("--threads", 2)
    wrong = []

    def ask(first):
        with httpx.Client(base_url=address, trust_env=False) as client:
            for number in range(first, first + 25):
                read = client.post("/v1/read", content=png(str(number)), headers=PNG).json()["readings"][0]["text"]
                if read != str(number):
                    wrong.append((number, read))

    threads = [threading.Thread(target=ask, args=(first,)) for first in (100, 200, 300, 400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def test_it_needs_no_torch():
    program = "import sys, glyphlet.server.run; print([n for n in ('torch', 'onnx', 'cv2') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


class TestRefusals:
    """In this process, but for the last one: a server that would start must not."""

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
    def test_other_machines_need_a_token(self, host):
        with pytest.raises(GlyphletError, match="can be reached from other machines.*Next: set GLYPHLET_TOKEN"):
            listen(host, 0, "")

    def test_an_unknown_host(self):
        with pytest.raises(GlyphletError, match="--host 'no such host' is not known"):
            listen("no such host", 0, "")

    def test_an_address_of_another_machine(self):
        with pytest.raises(GlyphletError, match=r"cannot listen on 192\.0\.2\.1 port 0"):
            listen("192.0.2.1", 0, "a token of some length")

    def test_addresses(self):
        with listen("127.0.0.1", 0, "") as listening:
            assert address_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"

    def test_a_port_that_is_taken(self, glyphlet_serve, model_file):
        with listen("127.0.0.1", 0, "") as taken:
            port = taken.getsockname()[1]
            code, err = glyphlet_serve(model_file, "--port", port)
        assert code == 2
        assert err == (
            f"glyphlet: port {port} of 127.0.0.1 is taken by another program. "
            "Next: give another --port, or 0 for any that is free.\n"
        )

    def test_a_missing_model_and_a_wrong_setting(self, glyphlet_serve, model_file):
        code, err = glyphlet_serve("missing.onnx")
        assert (code, err.startswith("glyphlet: missing.onnx does not exist. ")) == (2, True)
        code, err = glyphlet_serve(model_file, "--queue", 3)
        assert (code, err.startswith("glyphlet: --queue is 3. Allowed: 64")) == (2, True)
        code, err = glyphlet_serve(model_file, "--token", "swordfish")
        assert (code, err.startswith("glyphlet: the token has 9 characters")) == (2, True)
        assert "swordfish" not in err

    def test_without_the_extra(self, glyphlet_serve, model_file, monkeypatch):
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        monkeypatch.delitem(sys.modules, "glyphlet.server.run")
        code, err = glyphlet_serve(model_file)
        assert code == 2
        assert "Next: pip install 'glyphlet[serve]'." in err


@pytest.fixture
def glyphlet_serve(capsys, monkeypatch):
    """`glyphlet serve ...` in this process: exit code and error stream."""
    from glyphlet.cli import main

    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # `main` changes it
    monkeypatch.delenv("GLYPHLET_TRACEBACK", raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["glyphlet", "serve", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code, capsys.readouterr().err

    return run
