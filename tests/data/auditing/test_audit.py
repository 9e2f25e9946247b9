"""Each kind of finding is found in a set that has it, by file and line number, and not in one that has it not."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet.charset import Charset
from glyphlet.data.auditing.audit import Rules, audit
from glyphlet.data.auditing.findings import KINDS, SEVERITIES
from glyphlet.data.auditing.linemeasure import measure
from glyphlet.data.lineset import LineSet, ListedLines
from glyphlet.data.open import open_lines
from glyphlet.data.sample import Sample
from glyphlet.errors import ImageError, LabelError
from glyphlet.image import Geometry
from support import SHARED


def drawn(text: str, seed: int = 0, width: int | None = None) -> Image.Image:
    """A rendered line; each seed gives other noise, so that no two are equal."""
    font = ImageFont.load_default(20)
    image = Image.new("L", (width or round(font.getlength(text)) + 20, 32), 230)
    ImageDraw.Draw(image).text((8, 4), text, fill=30, font=font)
    noise = np.random.default_rng(seed).integers(-5, 6, (image.height, image.width))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def lines(*pairs, name="train.txt", groups=()) -> ListedLines:
    """Texts, or pairs of image and text."""
    pairs = [(drawn(p, i), p) if isinstance(p, str) else p for i, p in enumerate(pairs)]
    samples = [Sample(image, text, f"{name} line {i}") for i, (image, text) in enumerate(pairs, 1)]
    return ListedLines(samples, name, groups=groups)


def kinds(found) -> dict[str, int]:
    return {finding.kind.name: finding.count for finding in found.findings if finding.kind.name != "rare"}


def test_good_lines_have_no_findings():
    found = audit(lines("abc", "total 12.50", "x y z"))
    assert kinds(found) == {}
    assert (found.lines, found.images) == (3, 3)
    assert found.figures["Characters"] == "19 of 15 kinds"
    assert found.figures["Height"] == "32 px"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "empty"), ("  ", "empty"), (" abc", "edge_space"), ("a  b", "double_space"), ("a\u00a0b", "odd_space"),
        ("a\u200bb", "zero_width"), ("a\tb", "control"), ("a\ufffdb", "replacement"), ("cafe\u0301", "not_nfc"),
        ("p\u0430y", "look_alike"),
    ],
)  # fmt: skip
def test_labels(text, kind):
    found = audit(lines("abc", (drawn("abcd", 9), text)))
    assert kinds(found) == {kind: 1}
    assert (found[kind].examples[0].origin, found[kind].examples[0].text) == ("train.txt line 2", text)
    assert list(found[kind].lines) == [1]


def test_empty_labels_may_be_meant():
    assert kinds(audit(lines("abc", (drawn(".", 9), "")), Rules(empty="keep"))) == {}


def test_characters_outside_the_charset_are_counted():
    found = audit(lines("12", "1x", "xxy"), Rules(charset=Charset.named("digits")))
    assert found["charset"].count == 2
    assert found["charset"].rows == [
        ("x", "U+0078 LATIN SMALL LETTER X", "3", "train.txt line 2"),
        ("y", "U+0079 LATIN SMALL LETTER Y", "1", "train.txt line 3"),
    ]
    assert found["charset"].examples[1].detail == "U+0078 LATIN SMALL LETTER X, U+0079 LATIN SMALL LETTER Y"


def test_a_charset_that_folds_widths_takes_full_width_letters():
    found = audit(lines((drawn("A1"), "\uff21\uff11")), Rules(charset=Charset.from_text("A1", half_width=True)))
    assert "charset" not in found


def test_mixed_normal_forms_are_said():
    found = audit(lines((drawn("cafe"), "caf\u00e9"), (drawn("cafe", 2), "cafe\u0301")))
    assert found["not_nfc"].note == "mixed forms: é also occur composed"
    alone = audit(lines((drawn("cafe"), "cafe\u0301")))
    assert alone["not_nfc"].note == "all such letters are decomposed"


class TestImages:
    def test_missing_and_damaged_ones(self, tmp_path):
        drawn("abc").save(tmp_path / "a.png")
        (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:300])
        (tmp_path / "text.png").write_text("no image")
        (tmp_path / "train.txt").write_text("a.png\tabc\ncut.png\tabc\ntext.png\tabc\nnone.png\tabc\n")
        found = audit(open_lines(tmp_path / "train.txt"))
        assert [e.origin.rpartition(" ")[2] for e in found["unreadable"].examples] == ["2", "3", "4"]
        assert "none.png does not exist" in found["unreadable"].examples[2].detail
        assert found.figures["Images"] == "1 decoded, 3 unreadable"

    def test_the_width_that_a_model_stretches_or_squeezes_to_is_what_counts(self):
        line = (drawn("aa", 1, width=80), "a" * 8)  # 15 steps: 60 pixels
        assert kinds(audit(lines("abc", line), Rules(geometry=Geometry()))) == {}
        for geometry, width in ((Geometry(width=48), 48), (Geometry(squeeze=2.0), 40)):
            found = audit(lines("abc", line), Rules(geometry=geometry))
            assert f"its {width} pixels at height 32 give" in found["too_long"].examples[0].detail

    def test_labels_that_are_too_long_with_what_would_do(self):
        # 40 pixels are 10 steps; 8 a's need 15: 60 pixels, rounded up to 64, or a stride of 2 (20 steps).
        found = audit(lines("abc", (drawn("aa", 1, width=40), "a" * 8)), Rules(geometry=Geometry(width_step=8)))
        assert found["too_long"].examples[0].detail == (
            "needs 15 steps, its 40 pixels at height 32 give 10; a width of 64, or a time step every 2 pixels would do"
        )
        assert found["too_long"].note.startswith("a time step every 2 pixels would do for all of them")

    def test_more_characters_than_pixels_are_beyond_any_stride(self):
        found = audit(lines((drawn("a", 1, width=8), "abcdefghij")))
        assert found["too_long"].examples[0].detail.endswith("a width of 40 would do")
        assert "no stride would do" in found["too_long"].note

    def test_steps_come_as_a_value(self):
        assert "too_long" not in audit(lines((drawn("abc", 1, width=40), "a" * 8)), Rules(steps=lambda w: w // 2))

    def test_widths_beyond_the_model(self):
        found = audit(lines((drawn("abc", 1, width=300), "abc")), Rules(geometry=Geometry(max_width=256)))
        assert found["too_wide"].examples[0].detail == "300 x 32 pixels: 300 wide at height 32, 256 allowed"

    def test_blank_tiny_and_large_ones(self):
        found = audit(
            lines(
                (Image.new("L", (60, 32), 240), "abc"),
                (drawn("abc").resize((24, 7)), "abc"),
                (drawn("abc").resize((1400, 600)), "abc"),
            )
        )
        assert kinds(found) == {"blank": 1, "tiny": 1, "large": 1}
        assert found["tiny"].examples[0].detail == "24 x 7 pixels"

    def test_an_orientation_mark(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        drawn("abc").rotate(90, expand=True).save(tmp_path / "a.jpg", exif=exif)
        (tmp_path / "train.txt").write_text("a.jpg\tabc\n")
        found = audit(open_lines(tmp_path / "train.txt"))
        assert kinds(found) == {"exif": 1}
        assert found.measures["width"][0] > found.measures["height"][0]


class TestCopies:
    def test_the_same_image_with_two_labels(self):
        image = drawn("cat")
        found = audit(lines("abc", (image, "cat"), (image, "car")))
        assert kinds(found) == {"contradiction": 2}
        first, second = found["contradiction"].examples
        assert (first.origin, first.other_origin, first.detail) == ("train.txt line 2", "train.txt line 3", "cat / car")
        assert (second.text, second.other_text) == ("car", "cat")

    def test_the_same_image_with_the_same_label(self):
        image = drawn("cat")
        found = audit(lines((image, "cat"), "abc", (image, " cat"), (image, "cat")))
        assert found["duplicate"].count == 2  # labels that differ by what cannot be seen are the same
        assert "contradiction" not in found

    def test_an_empty_label_contradicts_only_when_it_is_meant(self):
        image = drawn("cat")
        assert kinds(audit(lines((image, "cat"), (image, "")))) == {"empty": 1}
        assert kinds(audit(lines((image, "cat"), (image, "")), Rules(empty="keep"))) == {"contradiction": 2}

    def test_equal_means_equal_pixels_of_equal_shape(self):
        grey = np.asarray(drawn("cat"))
        same = measure(np.stack([grey] * 3, -1))[0][2]
        assert measure(grey)[0][2] == same
        assert measure(grey.reshape(-1, grey.shape[0]))[0][2] != same
        colour = np.stack([grey] * 3, -1)
        colour[0, 0, 0] ^= 1
        assert measure(colour)[0][2] != same


class TestAgainstTestLines:
    def test_leaks(self, tmp_path):
        drawn("total 12").save(tmp_path / "copy.jpg", quality=60)
        test = lines(
            (drawn("cat"), "cat"), ((tmp_path / "copy.jpg").read_bytes(), "total 12"), "other", name="test.txt"
        )
        found = audit(lines("abc", (drawn("cat"), "cut"), (drawn("total 12"), "total 12")), test=test)
        assert kinds(found) == {"leak": 1, "near_leak": 1, "unseen": 3}
        leak, near = found["leak"].examples[0], found["near_leak"].examples[0]
        assert (leak.origin, leak.other_origin, leak.detail) == ("train.txt line 2", "test.txt line 1", "another label")
        assert (near.origin, near.other_origin, near.in_test) == ("train.txt line 3", "test.txt line 2", True)
        assert near.detail.endswith("same label")
        assert {row[0] for row in found["unseen"].rows} == {"h", "e", "r"}

    def test_looking_for_near_ones_can_be_left_out(self):
        test = lines((drawn("total 12", 5), "total 12"), name="test.txt")
        assert kinds(audit(lines((drawn("total 12", 6), "total 12")), test=test)) == {"near_leak": 1}
        assert kinds(audit(lines((drawn("total 12", 6), "total 12")), Rules(near=False), test=test)) == {}

    def test_groups_in_both(self):
        test = lines("xyz", name="test.txt", groups=["page 2"])
        found = audit(lines("abcx", "defyz", groups=["page 1", "page 2"]), test=test)
        assert kinds(found) == {"group_leak": 1}
        assert found["group_leak"].examples[0].detail == "group page 2"

    def test_an_unreadable_test_image_is_said(self):
        found = audit(lines("abc"), test=lines((b"nonsense", "abc"), name="test.txt"))
        assert found.notes == ["1 images of test.txt cannot be read: check the test set by itself, too"]
        assert found.figures["Test texts that also occur here"] == "1 of 1"


class Holes(LineSet):
    """A database with holes: one line lacks its image, one its label."""

    def __init__(self) -> None:
        super().__init__("holes.lmdb", "lmdb")
        self.problems = [LabelError("holes.lmdb line 9 has no tab", next_step="mend it")]

    def __len__(self) -> int:
        return 3

    def text(self, index: int) -> str:
        if index == 1:
            raise LabelError("label-000000002 is missing")
        return "abc"

    def origin(self, index: int) -> str:
        return f"holes.lmdb image-{index + 1:09d}"

    def sample(self, index: int) -> Sample:
        if index == 2:
            raise ImageError("image-000000003 is missing")
        return Sample(drawn("abc", index), self.text(index), self.origin(index))


def test_holes_and_malformed_lines_are_findings():
    found = audit(Holes())
    assert found["malformed"].count == 2
    assert [e.origin for e in found["malformed"].examples] == [
        "holes.lmdb line 9",
        "holes.lmdb image-000000002",
    ]
    assert [e.detail for e in found["unreadable"].examples] == ["image-000000003 is missing"]


def test_no_lines_at_all_are_refused():
    with pytest.raises(LabelError, match="holds no lines"):
        audit(ListedLines([], "nothing"))


def test_a_sample_is_seeded_and_said():
    many = lines(*(f"line {i}" for i in range(30)))
    found, again = (audit(many, Rules(sample=10, seed=3)) for _ in range(2))
    assert found.images == 10
    assert (found.measures == again.measures).all()
    assert found.notes == ["a sample of 10 of 30 images was decoded; labels were all read"]


def test_examples_are_limited_and_lines_are_not():
    many = lines(*((drawn("abc", i), " abc") for i in range(8)))
    assert [len(audit(many, Rules(examples=n))["edge_space"].examples) for n in (3, None)] == [3, 8]
    assert list(audit(many, Rules(examples=3))["edge_space"].lines) == list(range(8))


def test_processes_change_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr("glyphlet.data.auditing.linemeasure._BLOCK", 1)
    monkeypatch.setattr("glyphlet.data.auditing.linemeasure._POOL_FROM", 4)
    rows = []
    for i in range(12):
        drawn(f"n{i}", i).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png\tn{i}\n")
    (tmp_path / "train.txt").write_text("".join(rows) + "none.png\tx\n")
    one, two = (audit(open_lines(tmp_path / "train.txt"), Rules(workers=n)) for n in (1, 2))
    assert (one.measures == two.measures).all()
    assert one.as_dict() | {"seconds": 0} == two.as_dict() | {"seconds": 0}


def test_everything_goes_into_json():
    image = drawn("cat")
    found = audit(lines((image, "cat"), (image, "car"), " a"), test=lines((image, "cat"), name="t"))
    values = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert (values["lines"], values["errors"]) == (3, 2)
    assert values["findings"][0]["examples"][0]["other"] == {
        "origin": "train.txt line 2",
        "text": "car",
        "in_test": False,
    }
    assert values["test"] == {"name": "t", "lines": 1}
    assert sum(n for _, n in values["histograms"]["Characters in a label"]) == 3


def test_findings_come_the_gravest_first():
    found = audit(lines((drawn("abc", 1), " abc"), (drawn("abc", 2), ""), "p\u0430y"))
    order = [SEVERITIES.index(f.kind.severity) for f in found.findings]
    assert order == sorted(order)
    assert all(kind.advice and kind.title for kind in KINDS.values())


@pytest.mark.skipif(not SHARED.is_dir(), reason="real lines lie beside the developers' checkouts only")
@pytest.mark.parametrize("name", ["ccpd_plates", "chinese_screen_lines", "document_lines", "journal_lines"])
def test_real_sets_have_no_errors(name):
    assert audit(open_lines(SHARED / name / "test.txt")).count("error") == 0


@pytest.mark.skipif(not SHARED.is_dir(), reason="real lines lie beside the developers' checkouts only")
def test_what_is_wrong_with_the_handwritten_numbers():
    """Three crops are so tall that nothing is left of their width at height 32."""
    found = audit(open_lines(SHARED / "lectaurep_numbers" / "test.txt"))
    assert [e.text for e in found["too_long"].examples] == ["13.", "3. 30-", "18.37.."]
    assert list(found["vertical"].lines) == list(found["too_long"].lines)


def test_the_page_lists_every_kind():
    page = Path(__file__).parents[3] / "docs" / "data_check.md"
    rows = [
        [c.strip(" `") for c in r.split("|")[1:-1]]
        for r in page.read_text(encoding="utf-8").splitlines()
        if r[:3] == "| `"
    ]
    listed = [(row[0], row[1], row[3].split(" ")[0]) for row in rows if len(row) == 4]
    assert listed == [
        (k.name, k.severity, {"drop": "drops", "clean": "cleans", "": ""}[k.repair]) for k in KINDS.values()
    ]
