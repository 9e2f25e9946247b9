"""Who may ask, what every answer carries, and what the server says of itself."""

import json
import re

import pytest

from glyphlet import __version__
from glyphlet.server.page import page_files

TOKEN = "correct-horse-battery"
READ = "/v1/read"
PNG = {"Content-Type": "image/png"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class TestToken:
    @pytest.mark.parametrize(
        "path", [READ, "/v1/model", "/metrics", "/v1/nothing", "/v1/read/", "//v1/read", "/x/v1/read"]
    )
    @pytest.mark.parametrize(
        ("headers", "fragment"),
        [
            ({}, "the token is missing"),
            (bearer("wrong-horse-battery"), "the token is wrong"),
            (bearer(""), "the token is wrong"),
            ({"Authorization": f"Basic {TOKEN}"}, "the token is wrong"),
            ({"Authorization": TOKEN}, "the token is wrong"),
            ({"Authorization": "Bearer \xe9".encode("latin-1")}, "the token is wrong"),
        ],
    )
    def test_without_the_right_one(self, ask, refused, path, headers, fragment):
        response = ask("POST" if path == READ else "GET", path, {"token": TOKEN}, headers=headers)
        refused(response, 401, fragment)
        assert response.headers["www-authenticate"] == 'Bearer realm="glyphlet"'
        assert TOKEN not in response.text

    def test_with_it(self, ask, png):
        response = ask("POST", READ, {"token": TOKEN}, content=png("1"), headers=PNG | bearer(TOKEN))
        assert response.json()["readings"][0]["text"] == "1"

    @pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/healthz", "/serve.css"])
    def test_what_is_open(self, ask, path):
        assert ask("GET", path, {"token": TOKEN}).status_code == 200

    def test_any_name_will_do_then(self, ask):
        assert (
            ask("GET", "/v1/model", {"token": TOKEN}, headers=bearer(TOKEN) | {"Host": "ocr.example"}).status_code
            == 200
        )


class TestNames:
    @pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"])
    def test_of_this_machine(self, ask, host):
        assert ask("GET", "/healthz", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "", "[::1", "10.0.0.1"]
    )
    def test_others_are_refused(self, ask, refused, host):
        refused(ask("GET", "/v1/model", headers={"Host": host}), 403, "the server was called as", "localhost")

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9", "https://[x"])
    def test_pages_from_elsewhere_are_refused(self, ask, refused, png, origin):
        refused(ask("POST", READ, content=png("1"), headers=PNG | {"Origin": origin}), 403, "a page of")

    def test_the_own_page_may_ask(self, ask, png):
        headers = PNG | {"Origin": "http://127.0.0.1:8000", "Host": "127.0.0.1:8000"}
        assert ask("POST", READ, content=png("1"), headers=headers).status_code == 200

    def test_a_page_that_was_named(self, ask, png):
        cors = {"cors": ("https://a.example",)}
        response = ask("POST", READ, cors, content=png("1"), headers=PNG | {"Origin": "https://a.example"})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "https://a.example")
        preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        assert ask("OPTIONS", READ, cors | {"token": TOKEN}, headers=preflight).status_code == 200
        other = ask("POST", READ, cors, content=png("1"), headers=PNG | {"Origin": "https://b.example"})
        assert other.status_code == 403
        assert "access-control-allow-origin" not in other.headers


class TestAnswers:
    @pytest.mark.parametrize("path", ["/", "/healthz", "/nothing", "/docs", "/v1/model"])
    def test_every_one_carries_the_headers(self, ask, path):
        headers = ask("GET", path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == ("no-cache" if path == "/" else "no-store")
        assert "access-control-allow-origin" not in headers

    @pytest.mark.parametrize("settings", [{}, {"token": TOKEN}])
    def test_the_page_and_its_files_load_nothing_from_elsewhere(self, ask, settings):
        files = page_files()
        for name, (content, media_type) in files.items():
            response = ask("GET", f"/{name}", settings)
            assert (response.content, response.headers["content-type"]) == (content, media_type)
            if name.endswith(".html"):
                assert not re.search(rb"(src|href)=.(https?:)?//", content)
        page = ask("GET", "/", settings)
        assert page.content == files["index.html"][0]
        assert (b'id="token"' in page.content) >= bool(settings)
        assert ask("HEAD", "/", settings).status_code == 200

    def test_health(self, ask):
        assert ask("GET", "/healthz").json() == {"status": "ok"}

    def test_model(self, ask):
        assert ask("GET", "/v1/model").json() == {
            "name": "grey", "charset": "0123456789", "head": "ctc", "height": 32, "channels": 1, "patterns": True,
            "version": __version__,
            "limits": {"max_bytes": 16_000_000, "max_images": 64, "max_pixels": 16_000_000, "max_width": 8192, "timeout": 10.0},
        }  # fmt: skip

    def test_metrics(self, serving, png):
        async def scenario(client):
            for images in (["1", "22"], ["3"]):
                await client.post(READ, files=[("image", png(text)) for text in images])
            await client.post(READ, files=[("image", png("1")), ("image", b"?")])
            await client.post(READ, content=b"", headers=PNG)
            await client.get("/nothing/at/all")
            return (await client.get("/metrics")).text

        rows = dict(row.rsplit(" ", 1) for row in serving(scenario).splitlines() if not row.startswith("#"))
        expected = {
            'glyphlet_requests_total{path="/v1/read",status="200"}': 3,
            'glyphlet_requests_total{path="/v1/read",status="400"}': 1,
            'glyphlet_requests_total{path="other",status="404"}': 1,
            'glyphlet_lines_total{result="read"}': 4,
            'glyphlet_lines_total{result="failed"}': 1,
            "glyphlet_read_seconds_count": 4,
            "glyphlet_batch_lines_sum": 5,
            "glyphlet_queue_lines": 0,
            f'glyphlet_model_info{{head="ctc",name="grey",version="{__version__}"}}': 1,
        }
        assert {key: float(rows[key]) for key in expected} == expected

    def test_a_fault_in_a_path_is_a_500_and_logged(self, serving, refused, caplog):
        async def scenario(client):
            client.app.state.service.name = {1}  # what JSON cannot say
            return await client.get("/v1/model")

        refused(serving(scenario), 500, "internal error: TypeError")
        assert "/v1/model failed" in caplog.text


class TestDescription:
    def test_bodies_and_errors(self, ask):
        described = ask("GET", "/openapi.json").json()
        assert described["openapi"].startswith("3.1")
        assert set(described["paths"]) == {READ, "/v1/model", "/healthz", "/metrics"}
        read = described["paths"][READ]["post"]
        assert set(read["requestBody"]["content"]) == {
            "multipart/form-data", "image/*", "application/octet-stream", "application/json",
        }  # fmt: skip
        assert [(p["name"], p["in"], p["required"]) for p in read["parameters"]] == [("pattern", "query", False)]
        answers = {
            status: of["content"]["application/json"]["schema"]["$ref"] for status, of in read["responses"].items()
        }
        error = "#/components/schemas/ErrorAnswer"
        assert answers == {"200": "#/components/schemas/ReadAnswer"} | dict.fromkeys(
            ["400", "401", "403", "408", "413", "415", "422", "500", "503", "504"], error
        )
        assert "security" not in read

    def test_every_reference_resolves(self, ask):
        text = ask("GET", "/openapi.json").text
        schemas = json.loads(text)["components"]["schemas"]
        assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) == set(schemas)

    def test_a_token_is_described(self, ask):
        described = ask("GET", "/openapi.json", {"token": TOKEN}).json()
        assert described["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
        assert described["paths"][READ]["post"]["security"] == [{"token": []}]
        assert "security" not in described["paths"]["/healthz"]["get"]
        assert TOKEN not in json.dumps(described)

    def test_the_page_of_it(self, ask):
        page = ask("GET", "/docs")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "POST /v1/read" in page.text
        assert "multipart/form-data" in page.text
        assert not re.search(r"(src|href)=.(https?:)?//", page.text)
        assert set(re.findall(r'href="#(\w+)"', page.text)) <= set(re.findall(r'id="(\w+)"', page.text))
