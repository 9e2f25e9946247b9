"""POST /v1/read: the three bodies, several images, bad ones among good ones, patterns, and every limit."""

import base64
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from server.conftest import encoded

READ = "/v1/read"
PNG = {"Content-Type": "image/png"}


def texts(response):
    assert response.status_code == 200, response.text
    return [reading["text"] for reading in response.json()["readings"]]


def parts(*images):
    return [("image", image if isinstance(image, tuple) else ("", image)) for image in images]


class TestBodies:
    def test_multipart(self, ask, png):
        response = ask("POST", READ, files=parts(("a.png", png("407")), ("б.png", png("12"))))
        assert texts(response) == ["407", "12"]
        assert response.json()["model"] == "grey"
        assert [reading["source"] for reading in response.json()["readings"]] == ["a.png", "б.png"]

    def test_a_part_without_a_file_name_is_numbered(self, ask, png):
        body = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n' + png("31") + b"\r\n--x--\r\n"
        response = ask("POST", READ, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert response.json()["readings"][0]["source"] == "image 1"
        assert texts(response) == ["31"]

    @pytest.mark.parametrize("media", ["image/png", "image/x-of-my-own", "application/octet-stream", "IMAGE/PNG; a=b"])
    def test_raw(self, ask, png, media):
        assert texts(ask("POST", READ, content=png("90"), headers={"Content-Type": media})) == ["90"]

    @pytest.mark.parametrize("kind", ["JPEG", "BMP", "TIFF", "WEBP"])
    def test_other_formats(self, ask, kind):
        white = np.full((32, 64), 255, np.uint8)
        assert texts(ask("POST", READ, content=encoded(white, kind), headers=PNG)) == [""]

    def test_base64(self, ask, png):
        plain = base64.b64encode(png("55")).decode()
        wrapped = base64.encodebytes(png("66")).decode()
        response = ask("POST", READ, json={"images": [plain, f"data:image/png;base64,{plain}", wrapped]})
        assert texts(response) == ["55", "55", "66"]
        assert [r["source"] for r in response.json()["readings"]] == ["image 1", "image 2", "image 3"]

    def test_a_large_json_is_parsed_beside_the_loop(self, ask, png):
        images = [base64.b64encode(png("7") + bytes(40_000)).decode()] * 3  # what follows the image is not looked at
        assert texts(ask("POST", READ, json={"images": images})) == ["7"] * 3

    def test_the_answer_is_that_of_the_reader(self, ask, png, plain):
        expected = plain.read_one(png("804")).to_dict() | {"source": "image 1"}
        assert ask("POST", READ, content=png("804"), headers=PNG).json() == {"model": "grey", "readings": [expected]}

    @hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(numbers=st.lists(st.text("0123456789", min_size=1, max_size=9), min_size=1, max_size=12))
    def test_any_numbers(self, ask, png, numbers):
        assert texts(ask("POST", READ, files=parts(*map(png, numbers)))) == numbers


class TestMalformed:
    @pytest.mark.parametrize(
        ("body", "fragment"),
        [
            ("{", "is not JSON"),
            ("[" * 100_000, "is not JSON"),
            (b"\xff\xfe{", "is not JSON"),
            ("[]", "one key 'images'"),
            ('{"images": "x"}', "one key 'images'"),
            ('{"images": ["eA=="], "more": 1}', "one key 'images'"),
            ('{"images": [1]}', "images[0] is no text"),
            ('{"images": ["eA==", "?"]}', "images[1] is not base64"),
            ('{"images": ["data:image/png,x"]}', "images[0] is a data URL that is not base64"),
            ('{"images": ["data:image/png;base64"]}', "images[0] is a data URL that is not base64"),
            ('{"images": ["é"]}', "images[0] is not base64"),
            ('{"images": []}', "has no image"),
        ],
    )
    def test_json(self, ask, refused, body, fragment):
        refused(ask("POST", READ, content=body, headers={"Content-Type": "application/json"}), 400, fragment)

    def test_an_empty_body(self, ask, refused):
        refused(ask("POST", READ, content=b"", headers=PNG), 400, "has no image")

    @pytest.mark.parametrize(
        ("body", "fragment"),
        [
            (b"", "before its last boundary"),
            (b"not a form", "malformed"),
            (b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc', "before its last boundary"),
            (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--x--\r\n', "part named 'file'"),
            (b"--x\r\n\r\nabc\r\n--x--\r\n", "part named ''"),
        ],
    )
    def test_multipart(self, ask, refused, body, fragment):
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        refused(ask("POST", READ, content=body, headers=headers), 400, fragment)

    def test_a_boundary_that_is_too_long(self, ask, refused):
        headers = {"Content-Type": f"multipart/form-data; boundary={'x' * 400}"}
        refused(ask("POST", READ, content=b"x", headers=headers), 400, "malformed")

    @pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": ";;"}])
    def test_another_media_type(self, ask, refused, png, headers):
        refused(ask("POST", READ, content=png("1"), headers=headers), 415, "media type", "multipart/form-data")

    def test_an_encoded_body(self, ask, refused, png):
        headers = PNG | {"Content-Encoding": "gzip"}
        refused(ask("POST", READ, content=png("1"), headers=headers), 415, "Content-Encoding 'gzip'")

    def test_a_misspelt_parameter(self, ask, refused, png):
        refused(ask("POST", f"{READ}?patern=x", content=png("1"), headers=PNG), 400, "'patern'")

    @hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        body=st.binary(max_size=300),
        media=st.sampled_from(["image/png", "application/json", "multipart/form-data; boundary=x", "", "a/b"]),
    )
    def test_any_bytes_get_an_error_in_the_one_form(self, ask, refused, body, media):
        response = ask("POST", READ, content=body, headers={"Content-Type": media})
        assert response.status_code in (400, 415, 422)
        refused(response, response.status_code)


class TestImages:
    def test_what_is_not_an_image(self, ask, refused):
        refused(ask("POST", READ, content=b"text", headers=PNG), 422, "image 1 is not an image")

    def test_a_damaged_image_is_named(self, ask, refused, png):
        refused(ask("POST", READ, files=parts(("cut.png", png("12345")[:90]))), 422, "cut.png is damaged")

    def test_too_wide_a_line(self, ask, refused):
        wide = encoded(np.full((8, 10_000), 255, np.uint8))
        refused(ask("POST", READ, content=wide, headers=PNG), 422, "40000 wide at height 32")

    def test_the_widest_line_and_one_wider(self, ask, refused):
        limit = {"max_width": 64}
        assert texts(ask("POST", READ, limit, content=encoded(np.full((8, 16), 255, np.uint8)), headers=PNG)) == [""]
        wider = encoded(np.full((8, 17), 255, np.uint8))
        refused(ask("POST", READ, limit, content=wider, headers=PNG), 422, "68 wide at height 32", "up to 64 pixels")

    def test_what_the_reader_itself_refuses_is_named(self, serving, png, plain):
        """The server's own limit may be above the model's."""
        geometry = plain.metadata.geometry

        async def scenario(client):
            object.__setattr__(geometry, "max_width", 64)
            try:
                files = parts(("a", png("1")), ("b", png("12345678")))
                return await client.post(READ, files=files, params={"pattern": r"\d+"})
            finally:
                object.__setattr__(geometry, "max_width", 32_768)

        good, bad = serving(scenario).json()["readings"]
        assert good["text"] == "1"
        assert bad["error"]["problem"] == "b is 136 x 32 pixels, 136 wide at height 32"

    def test_a_bad_image_among_good_ones_is_an_error_in_its_place(self, ask, png):
        wide = encoded(np.full((8, 10_000), 255, np.uint8))
        images = [("a", png("1")), ("b", b"?"), ("c", png("22")), ("d", wide), ("e", png("3")[:60]), ("f", png("333"))]
        response = ask("POST", READ, files=parts(*images))
        assert response.status_code == 200
        readings = response.json()["readings"]
        assert [reading.get("text") for reading in readings] == ["1", None, "22", None, None, "333"]
        assert [r["error"]["problem"][:8] for r in readings if "error" in r] == ["b is not", "d is 100", "e is dam"]
        assert all(set(r) == {"error"} for r in readings if "error" in r)

    def test_when_none_can_be_read_the_first_error_is_the_answer(self, ask, refused):
        refused(ask("POST", READ, files=parts(("a", b"?"), ("b", b"!"))), 422, "a is not an image")

    def test_pixels_are_counted_before_an_image_is_decoded(self, ask, refused, png):
        settings = {"max_pixels": 1000}
        response = ask(
            "POST", READ, settings, files=parts(("a", png("1234")), ("b", encoded(np.full((8, 8), 255, np.uint8))))
        )
        error, reading = response.json()["readings"]
        assert error["error"]["problem"] == "a has 72 x 32 pixels"
        assert reading["text"] == ""
        refused(ask("POST", READ, settings, content=png("1234"), headers=PNG), 422, "up to 1,000 pixels")

    def test_an_image_of_more_pixels_than_a_chunk_and_others(self, ask, png):
        tall = encoded(np.full((2100, 2000), 255, np.uint8))
        assert texts(ask("POST", READ, files=parts(png("1"), tall, png("2")))) == ["1", "", "2"]


class TestLimits:
    def test_bytes_told_beforehand(self, ask, refused, png):
        response = ask("POST", READ, {"max_bytes": 50}, content=png("1"), headers=PNG)
        refused(response, 413, "more than 50 bytes")

    def test_bytes_that_arrive(self, serving, refused):
        sent = []

        async def body():
            for _ in range(100):
                sent.append(10)
                yield bytes(10)

        async def scenario(client):
            return await client.post(READ, content=body(), headers=PNG)

        refused(serving(scenario, max_bytes=50), 413, "more than 50 bytes")
        assert len(sent) == 6

    def test_images(self, ask, refused, png):
        few = {"max_images": 2}
        refused(ask("POST", READ, few, files=parts(*[png("1")] * 3)), 413, "more than 2 images")
        refused(ask("POST", READ, few, json={"images": ["eA=="] * 3}), 413, "more than 2 images")
        assert texts(ask("POST", READ, few, files=parts(*[png("1")] * 2))) == ["1", "1"]

    def test_bytes_of_all_requests(self, serving, refused, png, held):
        async def scenario(client):
            budget = client.app.state.service.budget
            budget.used = budget.limit - 10
            full = await client.post(READ, content=png("1"), headers=PNG)
            budget.used -= 1000
            good = await client.post(READ, content=png("1"), headers=PNG)
            return full, good, budget.used - budget.limit

        full, good, left = serving(scenario)
        refused(full, 503, "bytes already")
        assert full.headers["retry-after"] == "1"
        assert texts(good) == ["1"]
        assert left == -1010  # each request gave back what it held

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_another_method(self, ask, refused, method):
        response = ask(method, READ)
        refused(response, 405, "POST")
        assert response.headers["allow"] == "POST"

    def test_another_path(self, ask, refused):
        refused(ask("GET", "/v1/raed"), 404, "/v1/raed", "/v1/read")


class TestPattern:
    def test_a_pattern_decides(self, ask, png):
        response = ask("POST", READ, content=png("407"), headers=PNG, params={"pattern": "[0-3]{3}|9"})
        (reading,) = response.json()["readings"]
        assert reading["text"] in {"9", *(f"{n:03d}" for n in range(334))}
        assert texts(ask("POST", READ, content=png("407"), headers=PNG, params={"pattern": r"\d{3}"})) == ["407"]

    def test_the_reason_of_an_empty_text(self, ask, png):
        response = ask("POST", READ, content=png("4"), headers=PNG, params={"pattern": r"\d{30}"})
        (reading,) = response.json()["readings"]
        assert (reading["text"], reading["confidence"]) == ("", 0)
        assert "needs at least" in reading["reason"]

    @pytest.mark.parametrize(
        ("pattern", "fragment"),
        [
            ("(", "a '(' without its ')'"),
            ("x", "allows no text that the model can write"),
            ("1" * 501, "has 501 characters"),
            (".*1.{20}", "more than 2000 states"),
            (r"\d{1000,999999}", "more than 2000 states"),
        ],
    )
    def test_one_that_cannot_be_used(self, ask, refused, png, pattern, fragment):
        refused(ask("POST", READ, content=png("4"), headers=PNG, params={"pattern": pattern}), 400, fragment)

    def test_a_bad_one_is_refused_from_memory_the_second_time(self, serving, png, refused, monkeypatch):
        async def scenario(client):
            first = await client.post(READ, content=png("4"), headers=PNG, params={"pattern": "("})
            patterns = client.app.state.service.patterns
            monkeypatch.setattr(patterns, "_compiled", None)
            return first, await client.post(READ, content=png("4"), headers=PNG, params={"pattern": "("})

        for response in serving(scenario):
            refused(response, 400, "a '(' without its ')'")

    def test_a_fault_of_ours_in_compiling_is_500(self, serving, png, refused, monkeypatch, caplog):
        async def scenario(client):
            monkeypatch.setattr(client.app.state.service.patterns, "_reader", None)
            return await client.post(READ, content=png("4"), headers=PNG, params={"pattern": "4"})

        refused(serving(scenario), 500, "internal error: AttributeError")
        assert "pattern '4' could not be compiled" in caplog.text

    def test_kept_errors_hold_no_frames(self, serving, png):
        async def scenario(client):
            for _ in range(3):
                await client.post(READ, content=png("4"), headers=PNG, params={"pattern": "("})
            return client.app.state.service.patterns._kept["("].result()

        error = serving(scenario)
        assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)

    def test_patterns_are_forgotten_oldest_first(self, serving, png):
        async def scenario(client):
            for number in [*range(64), 0, 64]:
                await client.post(READ, content=png("4"), headers=PNG, params={"pattern": f"{number}"})
            return list(client.app.state.service.patterns._kept)

        assert serving(scenario) == [*(str(n) for n in range(2, 64)), "0", "64"]


def test_json_is_what_python_reads(ask, png):
    """No NaN, no infinity."""
    response = ask("POST", READ, content=png("4"), headers=PNG)
    json.loads(response.content, parse_constant=pytest.fail)
