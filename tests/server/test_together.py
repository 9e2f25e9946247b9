"""Many clients at once: nobody's text depends on the others, the queue is bounded, time is, and who leaves blocks nobody."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet.errors import GlyphletError
from glyphlet.runtime.reader import Reader
from glyphlet.server.settings import Settings

READ = "/v1/read"
PNG = {"Content-Type": "image/png"}


def line(text, size):
    font = ImageFont.load_default(size)
    image = Image.new("L", (int(font.getlength(text)) + 12, size + 12), 255)
    ImageDraw.Draw(image).text((6, 4), text, font=font, fill=0)
    return np.asarray(image)


def same(answer, expected):
    """Texts and spans equal; floating-point sums of a batch may differ in their last bits."""
    assert answer["text"] == expected["text"]
    assert answer["raw"] == expected["raw"]
    assert answer["confidence"] == pytest.approx(expected["confidence"], rel=1e-3, abs=1e-9)
    spans = [[(c["char"], c["left"], c["right"]) for c in one["characters"]] for one in (answer, expected)]
    assert spans[0] == spans[1]


async def until(true):
    """Wait for another task or thread."""
    for _ in range(2000):
        if true():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it did not happen")


@pytest.mark.parametrize("threads", [1, 3])
def test_64_clients_get_what_each_would_get_alone(serving, threads):
    """A shipped model, lines of many widths, several of them equal, and every third request under a pattern."""
    from server.conftest import encoded

    reader = Reader("print", threads=1)
    rng = np.random.default_rng(threads)
    texts = ["".join(rng.choice(list("abcdefgh 0123456789"), rng.integers(3, 14))).strip() for _ in range(64)]
    images = [line(text, int(size)) for text, size in zip(texts, rng.choice([14, 20, 30], 64), strict=True)]
    pattern = r"[a-z0-9 ]*"
    from glyphlet import Decoding

    readers = [reader, reader, reader.using(Decoding(pattern=pattern))]
    expected = [readers[n % 3].read_one(image).to_dict() for n, image in enumerate(images)]

    async def client_number(client, n):
        """Its own image between two others', in a request of three."""
        three = [images[(n + shift) % 64] for shift in (1, 0, 3)]
        files = [("image", (f"{n}", encoded(pixels))) for pixels in three]
        params = {"pattern": pattern} if n % 3 == 2 else {}
        return await client.post(READ, files=files, params=params)

    async def scenario(client):
        answers = await asyncio.gather(*(client_number(client, n) for n in range(64)))
        metrics = (await client.get("/metrics")).text
        return answers, metrics

    answers, metrics = serving(scenario, reader=reader, threads=threads, timeout=60)
    for n, answer in enumerate(answers):
        assert answer.status_code == 200, answer.text
        readings = answer.json()["readings"]
        same(readings[1], expected[n])
        if n % 3 == 0:
            same(readings[0], readers[0].read_one(images[n + 1]).to_dict() if n < 63 else expected[0])
    batches = float(metrics.partition("glyphlet_batch_lines_count ")[2].split()[0])
    assert "glyphlet_batch_lines_sum 192.0" in metrics
    assert batches < 100  # lines of different clients were taken together


def test_lines_gather_while_the_worker_is_busy(serving, held, png):
    async def scenario(client):
        first = asyncio.create_task(client.post(READ, content=png("1"), headers=PNG))
        await until(held.begun.is_set)
        rest = [asyncio.create_task(client.post(READ, content=png(str(n)), headers=PNG)) for n in range(2, 8)]
        await until(lambda: len(client.app.state.service.batcher._waiting) == 6)
        held.go.set()
        return [(await task).json()["readings"][0]["text"] for task in (first, *rest)]

    assert serving(scenario, reader=held, batch=4) == ["1", "2", "3", "4", "5", "6", "7"]
    assert held.sizes == [1, 4, 2]


def test_a_full_queue_sends_away_and_loses_nothing(serving, held, png, refused):
    async def scenario(client):
        tasks = [asyncio.create_task(client.post(READ, content=png("1"), headers=PNG))]
        await until(held.begun.is_set)
        tasks += [asyncio.create_task(client.post(READ, content=png("2"), headers=PNG)) for _ in range(3)]
        waiting = client.app.state.service.batcher
        await until(lambda: len(waiting._waiting) == 3)
        assert "glyphlet_queue_lines 3.0" in (await client.get("/metrics")).text
        away = await client.post(READ, content=png("3"), headers=PNG)
        two = await client.post(READ, files=[("image", png("4"))] * 2)
        held.go.set()
        return away, two, [await task for task in tasks]

    away, two, kept = serving(scenario, reader=held, queue=3, max_images=3)
    for response in (away, two):
        refused(response, 503, "3 lines wait")
        assert response.headers["retry-after"] == "1"
    assert [response.json()["readings"][0]["text"] for response in kept] == ["1", "2", "2", "2"]


def test_the_deadline_frees_the_places(serving, held, png, refused):
    async def scenario(client):
        batcher = client.app.state.service.batcher
        late = await asyncio.gather(*(client.post(READ, content=png("1"), headers=PNG) for _ in range(3)))
        left = len(batcher._waiting)
        held.go.set()
        return late, left, await client.post(READ, content=png("5"), headers=PNG)

    late, left, after = serving(scenario, reader=held, timeout=0.4, batch=1)
    for response in late:
        refused(response, 504, "0.4 seconds")
    assert left == 0
    assert after.json()["readings"][0]["text"] == "5"


def test_a_body_that_does_not_arrive(serving, png, refused):
    async def body():
        yield png("1")[:20]
        await asyncio.sleep(30)

    async def scenario(client):
        response = await client.post(READ, content=body(), headers=PNG)
        return response, client.app.state.service.budget.used

    response, used = serving(scenario, timeout=0.2)
    refused(response, 408, "did not arrive")
    assert used == 0


def test_a_fault_of_ours_is_500_and_the_worker_lives(serving, held, png, refused, caplog):
    async def scenario(client):
        held.go.set()
        held.error = ZeroDivisionError("secret")
        bad = await client.post(READ, content=png("1"), headers=PNG)
        held.error = None
        return bad, await client.post(READ, content=png("2"), headers=PNG)

    bad, good = serving(scenario, reader=held)
    refused(bad, 500, "internal error: ZeroDivisionError")
    assert "secret" not in bad.text
    assert good.json()["readings"][0]["text"] == "2"
    assert "reading failed" in caplog.text


def test_a_client_that_goes_away_gives_up_its_place(held, plain, png):
    """Spoken as ASGI has it: the body has come, then the client leaves."""
    from glyphlet.server.app import create_app

    app = create_app(held, Settings(batch=1))
    batcher = app.state.service.batcher
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": READ, "raw_path": READ.encode(),
        "query_string": b"", "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"image/png")], "scheme": "http",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "",
    }  # fmt: skip

    async def leaving(sent, gone):
        messages = [{"type": "http.request", "body": png("1"), "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)

    async def main():
        async with app.router.lifespan_context(app):
            gone = asyncio.Event()
            sent = []
            tasks = [asyncio.create_task(leaving(sent, gone)) for _ in range(3)]
            await until(held.begun.is_set)
            await until(lambda: len(batcher._waiting) == 2)
            gone.set()
            await asyncio.wait_for(asyncio.gather(*tasks), 10)  # while the worker is still busy
            left = len(batcher._waiting)
            held.go.set()
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
                answer = await client.post(READ, content=png("8"), headers=PNG)
                metrics = (await client.get("/metrics")).text
            return left, answer.json()["readings"][0]["text"], metrics

    with ThreadPoolExecutor(1) as pool:
        left, text, metrics = pool.submit(asyncio.run, main()).result()
    assert (left, text) == (0, "8")
    assert 'glyphlet_requests_total{path="/v1/read",status="499"} 3.0' in metrics


def test_workers_end_with_the_server(serving, png):
    before = threading.active_count()

    async def scenario(client):
        return await client.post(READ, content=png("1"), headers=PNG)

    assert serving(scenario, threads=3).status_code == 200
    for _ in range(200):
        if not any(thread.name.startswith("glyphlet-reader") for thread in threading.enumerate()):
            break
        time.sleep(0.01)
    assert not any(thread.name.startswith("glyphlet-reader") for thread in threading.enumerate())
    assert threading.active_count() <= before + 1


def test_what_waits_is_read_before_the_workers_end(serving, held, png):
    async def scenario(client):
        tasks = [asyncio.create_task(client.post(READ, content=png(str(n)), headers=PNG)) for n in range(4)]
        batcher = client.app.state.service.batcher
        await until(lambda: held.begun.is_set() and len(batcher._waiting) >= 3)
        closing = asyncio.create_task(asyncio.to_thread(batcher.close, 10))
        await until(lambda: batcher._closing)
        late = await client.post(READ, content=png("9"), headers=PNG)
        held.go.set()
        return await closing, late.status_code, [(await t).json()["readings"][0]["text"] for t in tasks]

    assert serving(scenario, reader=held, batch=1) == (True, 503, ["0", "1", "2", "3"])


@pytest.mark.parametrize(
    "wrong",
    [{"max_bytes": 0}, {"max_images": 0}, {"max_pixels": 10**9}, {"timeout": 0}, {"max_width": 0}, {"queue": 63}, {"batch": 0}, {"threads": 0},
     {"stop": -1}, {"token": "short"}, {"token": "with a space in it"}, {"token": "é" * 20}, {"cors": ("*",)},
     {"cors": ("https://a.b/",)}, {"cors": ("a.b",)}],
)  # fmt: skip
def test_settings_out_of_range(wrong):
    with pytest.raises(GlyphletError, match="Allowed: .* Next: "):
        Settings(**wrong)
