"""`glyphlet data check`: exit codes, JSON, HTML, the cleaned list, models and recipes as the measure."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from glyphlet.cli.data_check import check
from glyphlet.errors import CharsetError, GlyphletError, LabelError, RecipeError


def picture(seed: int, width: int = 80) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (32, width), dtype=np.uint8))


@pytest.fixture
def labels(tmp_path):
    """Writes a label file with an image for each text."""

    def write(*texts: str, name: str = "train", first: int = 0) -> Path:
        (tmp_path / name).mkdir()
        for i in range(len(texts)):
            picture(i + first).save(tmp_path / name / f"{i}.png")
        rows = "".join(f"{name}/{i}.png\t{text}\n" for i, text in enumerate(texts))
        (tmp_path / f"{name}.txt").write_text(rows, encoding="utf-8")
        return tmp_path / f"{name}.txt"

    return write


@pytest.fixture
def run():
    """Runs the verb as an app of its own; errors come out as exceptions."""
    app = typer.Typer()
    app.command()(check)

    def command(*arguments: object):
        result = CliRunner().invoke(app, [*map(str, arguments), "--workers", "1"])
        if isinstance(result.exception, GlyphletError):
            raise result.exception
        assert result.exit_code in (0, 1), result.output
        return result

    return command


def test_exit_codes(run, labels):
    assert run(labels("abc", "def", name="good")).exit_code == 0
    assert run(labels("abc ", "def", name="warn", first=9)).exit_code == 0
    assert run(labels("ab ", name="strict"), "--strict").exit_code == 1
    assert run(labels("", "def", name="bad")).exit_code == 1
    with pytest.raises(LabelError, match="nothing.txt"):
        run("nothing.txt")


def test_malformed_lines_are_listed_and_not_raised(run, labels):
    path = labels("abc", "def")
    path.write_text(path.read_text() + "no tab here\n")
    result = run(path)
    assert result.exit_code == 1
    assert "line 3: has no tab: 'no tab here'" in result.stdout
    assert "Lines" in result.stdout


def test_several_sources_are_one_set(run, labels):
    result = run(labels("abc", name="a"), labels("xyz", name="b"), "--json")
    values = json.loads(result.stdout)
    assert values["lines"] == 2
    example = values["findings"][0]["examples"][0]  # both first images are the same
    assert values["findings"][0]["kind"] == "contradiction"
    assert example["origin"].endswith("a.txt line 1")
    assert example["other"]["origin"].endswith("b.txt line 1")


def test_json_is_all_of_stdout_and_lists_all_on_request(run, labels):
    path = labels(*[f"x{i} " for i in range(30)])
    few, every = (json.loads(run(path, "--json", *more).stdout) for more in ((), ("--all",)))
    assert [len(v["findings"][0]["examples"]) for v in (few, every)] == [20, 30]
    assert few["findings"][0]["count"] == 30


def test_test_lines(run, labels):
    result = run(labels("abc", "def"), "--test", labels("abc", name="test"))
    assert result.exit_code == 1
    assert "leak" in result.stdout
    assert run(labels("abc", "def", name="two", first=50), "--against", labels("q", name="t2", first=99)).exit_code == 0


def test_the_page(run, labels, tmp_path):
    result = run(labels("abc ", "def"), "--html", tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text().count("data:image/png") == 1
    assert "page.html" in result.stdout


def test_the_cleaned_list(run, labels, tmp_path):
    path = labels("abc ", "", "def")
    result = run(path, "--fix", tmp_path / "out.txt")
    assert result.exit_code == 1  # of what was found in the source
    assert (tmp_path / "out.txt").read_text() == "train/0.png\tabc\ntrain/2.png\tdef\n"
    assert "2 lines, 1 changed, 1 dropped (empty 1)" in result.stdout
    assert run(tmp_path / "out.txt", "--strict").exit_code == 0
    with pytest.raises(LabelError, match="would overwrite"):
        run(path, "--fix", path, "--overwrite")
    with pytest.raises(LabelError, match="exists"):
        run(path, "--fix", tmp_path / "out.txt")


def test_empty_labels_can_be_kept(run, labels, tmp_path):
    result = run(labels("abc", ""), "--keep-empty", "--fix", tmp_path / "out.txt")
    assert result.exit_code == 0
    assert (tmp_path / "out.txt").read_text() == "train/0.png\tabc\ntrain/1.png\t\n"


class TestMeasure:
    def test_a_charset_by_name_or_file(self, run, labels, tmp_path):
        path = labels("123", "12a")
        (tmp_path / "chars.txt").write_text("1\n2\n3\na\n")
        assert run(path, "--charset", "digits").exit_code == 1
        assert run(path, "--charset", tmp_path / "chars.txt").exit_code == 0
        with pytest.raises(CharsetError, match="cannot be read"):
            run(path, "--charset", tmp_path / "none.txt")

    def test_height_and_stride(self, run, labels):
        path = labels("x" * 12)  # 80 pixels: 20 steps for a need of 23
        assert run(path).exit_code == 1
        assert run(path, "--stride", "2").exit_code == 0
        assert run(path, "--height", "64").exit_code == 0
        assert "a time step every 3 pixels would do" in run(path).stdout

    def test_a_recipe(self, run, labels):
        path = labels("12345", "12a45")
        result = run(path, "--recipe", _shipped_with_charset())
        assert result.exit_code in (0, 1)
        with pytest.raises(RecipeError, match="there is no recipe"):
            run(path, "--recipe", "nothing")
        with pytest.raises(RecipeError, match="both given"):
            run(path, "--recipe", "demo", "--model", "x.onnx")


def _shipped_with_charset() -> str:
    from glyphlet.spec import load_recipe, shipped_recipes

    return next(name for name in shipped_recipes() if load_recipe(name).charset.fixed() is not None)


def test_a_model_file(run, labels, job):
    path = labels("12", "1x")
    values = json.loads(run(path, "--model", job.model, "--json").stdout)
    assert [f["kind"] for f in values["findings"] if f["severity"] == "error"] == ["charset"]
