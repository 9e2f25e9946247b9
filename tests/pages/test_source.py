"""Pages of files, and files that are none."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image

from glyphlet.errors import ImageError
from glyphlet.pages import source
from glyphlet.pages.source import open_pages


def picture(value: int, size=(120, 90)) -> Image.Image:
    return Image.new("L", size, value)


@pytest.fixture
def pdf(tmp_path):
    """Three grey pages of 2 x 1.5 inches."""
    path = tmp_path / "file.pdf"
    first, *rest = [picture(value) for value in (40, 120, 200)]
    first.save(path, save_all=True, append_images=rest, resolution=60)
    return path


def test_an_image_is_one_page(tmp_path):
    path = tmp_path / "a.png"
    picture(40).save(path, dpi=(200, 200))
    (page,) = open_pages(path)
    assert (page.name, page.number, page.pixels.shape) == (str(path), 1, (90, 120, 3))
    assert page.dpi == pytest.approx(200, abs=0.1)
    assert (page.pixels == 40).all()


@pytest.mark.parametrize("dpi", [None, (72, 72), (96, 96), (1, 1), (0, 0)])
def test_what_cameras_and_screens_write_is_no_resolution(tmp_path, dpi):
    picture(40).save(tmp_path / "a.jpg", **({"dpi": dpi} if dpi else {}))
    (page,) = open_pages(tmp_path / "a.jpg")
    assert page.dpi == 300


def test_pages_of_a_tiff(tmp_path):
    path = tmp_path / "a.tif"
    picture(40).save(path, save_all=True, append_images=[picture(90, (50, 60)), picture(200)], dpi=(150, 150))
    pages = list(open_pages(path))
    assert [(page.number, page.pixels.shape[:2], int(page.pixels[0, 0, 0])) for page in pages] == [
        (1, (90, 120), 40), (2, (60, 50), 90), (3, (90, 120), 200),
    ]  # fmt: skip


def test_pages_of_a_pdf(pdf):
    pages = list(open_pages(pdf, dpi=120))
    assert [(page.number, page.pixels.shape, page.dpi) for page in pages] == [
        (n, (180, 240, 3), 120) for n in (1, 2, 3)
    ]
    assert [int(page.pixels[90, 120, 0]) for page in pages] == [40, 120, 200]


def test_a_pdf_is_known_by_its_first_bytes(pdf):
    other = pdf.rename(pdf.with_name("no-suffix"))
    assert len(list(open_pages(other))) == 3


def refused(path, *fragments, **options):
    """The file as a whole, or a page of it."""
    try:
        (error,) = (page for page in open_pages(path, **options) if isinstance(page, ImageError))
    except ImageError as whole:
        error = whole
    for fragment in (path.name, *fragments):
        assert fragment in str(error)
    assert "Next: " in str(error)


def test_files_that_are_none(tmp_path, pdf):
    refused(tmp_path / "missing.png", "does not exist")
    refused(tmp_path, "folder")
    (tmp_path / "empty.pdf").write_bytes(b"")
    refused(tmp_path / "empty.pdf", "not an image")
    (tmp_path / "noise.png").write_bytes(np.random.default_rng(0).bytes(3000))
    refused(tmp_path / "noise.png", "not an image")
    (tmp_path / "cut.pdf").write_bytes(b"%PDF-1.4\n" + pdf.read_bytes()[2000:2600])
    refused(tmp_path / "cut.pdf", "damaged PDF")


def test_a_tiff_that_ends_early(tmp_path):
    path = tmp_path / "a.tif"
    rng = np.random.default_rng(0)
    first, second = (Image.fromarray(rng.integers(0, 255, (90, 120), dtype=np.uint8)) for _ in range(2))
    first.save(path, save_all=True, append_images=[second])
    path.write_bytes(path.read_bytes()[:-2000])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own about the file
        refused(path, "damaged")


def test_a_bad_page_does_not_take_the_others_along(tmp_path):
    path = tmp_path / "a.tif"
    rng = np.random.default_rng(0)
    first, *others = (Image.fromarray(rng.integers(0, 255, (90, 120), dtype=np.uint8)) for _ in range(3))
    first.save(path, save_all=True, append_images=others, compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    at = len(data) // 3 + 2500
    data[at : at + 4000] = bytes(4000)
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pages = list(open_pages(path))
    assert [isinstance(page, ImageError) for page in pages] == [False, True, False]


def test_what_cannot_be_counted_is_refused(tmp_path):
    """A directory that says nothing of its size: Pillow fails while it counts the pages."""
    path = tmp_path / "a.tif"
    first, second = (Image.new("L", (64, 64), grey) for grey in (0, 255))
    first.save(path, save_all=True, append_images=[second])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused(path, "damaged")


def test_a_pdf_with_a_password(tmp_path):
    """Encrypted by hand: an /Encrypt entry whose check of the user password fails for the empty one."""
    body = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    encrypt = (
        b"3 0 obj<</Filter/Standard/V 1/R 2/Length 40/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>endobj\n"
    )
    starts = [body.index(b"1 0 obj"), body.index(b"2 0 obj"), len(body)]
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % start for start in starts)
    ends = b"trailer<</Size 4/Root 1 0 R/Encrypt 3 0 R/ID[<00><00>]>>\nstartxref\n%d\n%%%%EOF\n" % len(body + encrypt)
    (tmp_path / "locked.pdf").write_bytes(body + encrypt + table + ends)
    refused(tmp_path / "locked.pdf", "password")


def test_limits(tmp_path, pdf, monkeypatch):
    monkeypatch.setattr(source, "MAX_PAGES", 2)
    refused(pdf, "3 pages")
    monkeypatch.setattr(source, "MAX_PAGES", 3)
    monkeypatch.setattr(source, "MAX_PIXELS", 40_000)
    pages = list(open_pages(pdf, dpi=120))
    assert len(pages) == 3
    assert all("180 pixels" in str(page) and "--dpi" in str(page) for page in pages)
    assert len(list(open_pages(pdf, dpi=100))) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "pipe")
