import json

from glyphlet.pages.writers import FORMATS, writer_of


def written(name, pages) -> bytes:
    return b"".join(writer_of(name)(pages))


def test_text(two_pages):
    assert written("text", two_pages).decode() == 'Crème <brûlée>\n\nStraße & 5"€\nend\n\f中文 Ωж 𝄞\n'


def test_json_has_every_line_with_places(two_pages):
    pages = json.loads(written("json", two_pages))["pages"]
    assert [page["page"] for page in pages] == [1, 2]
    first = pages[0]
    assert {key: first[key] for key in ("path", "width", "height", "dpi", "angle", "turn")} == {
        "path": "scan.png", "width": 600, "height": 400, "dpi": 150.0, "angle": 0.0, "turn": 0,
    }  # fmt: skip
    assert [(line["block"], line["text"]) for line in first["lines"]] == [
        (0, "Crème <brûlée>"), (1, 'Straße & 5"€'), (1, ""), (1, "end"),
    ]  # fmt: skip
    assert first["lines"][2]["reason"] == "nothing there"
    assert first["lines"][0]["box"] == [50, 40, 210, 60]
    word = first["lines"][0]["words"][0]
    assert (word["text"], word["box"], word["confidence"]) == ("Crème", [50, 40, 110, 60], 0.9)
    assert word["characters"][1] == {"char": "r", "confidence": 0.9, "box": [62, 40, 74, 60]}


def test_no_pages():
    assert written("text", []) == b""
    assert json.loads(written("json", [])) == {"pages": []}


def test_pages_are_taken_one_by_one(two_pages):
    """A long document is never held as a whole: the first pieces come before the second page is asked for."""
    for name in FORMATS:
        asked = []

        def pages(asked=asked):
            for number, read in enumerate(two_pages):
                asked.append(number)
                yield read

        pieces = writer_of(name)(pages())
        before = b""
        while "Crème".encode() not in before and asked != [0, 1] and len(before) < 100:
            before += next(pieces)
        assert asked in ([], [0])
