"""`glyphlet fit`, from labels to the command that trains what was chosen; and what is refused."""

import json
import re
import shlex

import pytest

from glyphlet.compress.search import space
from glyphlet.compress.search.race import Race
from glyphlet.compress.search.rungs import Rungs
from glyphlet.runtime.reader import Reader
from glyphlet.spec import load_recipe
from support import runs_in


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A single ladder of three widths."""
    made = space.Ladder("micro-1", "micro", (4, 8, 16), 0.01, space._micro(1))
    monkeypatch.setattr(space, "LADDERS", (made,))


SHORT = ("--set", "train.threads=1", "--set", "train.epochs=4", "--set", "augment=[]")


class TestFit:
    def test_from_labels_to_the_command_that_trains_it_further(self, glyphlet, digits, tmp_path):
        folder = tmp_path / "my fit"
        done = glyphlet("fit", digits, "--max-kb", 16.5, "--max-ms", 1000, "-o", folder, "--hours", 0.02, *SHORT)
        assert (done.code, done.err) == (0, "")
        values = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
        result = values["result"]
        assert [entrant["name"] for entrant in values["entrants"]] == ["micro-1-8", "micro-1-16-cut"]
        lines = {
            name: re.search(rf"^{name} +(.*)$", done.out, re.M)[1] for name in ("chosen", "page", "model", "train")
        }
        assert lines["chosen"].startswith(f"{result['name']}, {result['weights']}: word accuracy")
        assert lines["chosen"].endswith(f"{result['kb']:.1f} kB, {result['ms']:.3f} ms on one thread")
        row = next(line for line in done.out.splitlines() if f"{result['name']} *" in line)
        assert f"{result['kb']:.1f}" in row.split()
        assert result["kb"] == (folder / "best.onnx").stat().st_size / 1024 <= 16.5
        page = (folder / "fit.html").read_text(encoding="utf-8")
        assert page.count("<svg") == 2
        assert shlex.quote(str(folder / "best.yaml")) in lines["train"]
        assert not re.search(r"(src|href)=\"(?!#)", page)  # nothing from outside
        assert "micro-1-8" in page

        words = shlex.split(lines["train"])
        done = glyphlet(*words[1:], "--runs", tmp_path / "runs", "--set", "train.epochs=1", "--test", digits)
        assert done.code == 0, done.err
        (run,) = runs_in(tmp_path / "runs")
        model = Reader(run / "model.onnx")
        assert (run / "model.onnx").stat().st_size / 1024 <= 16.5
        assert model.metadata.training["model"] == load_recipe(folder / "best.yaml").model.model_dump(mode="json")
        assert model.metadata.training["start"]["new_characters"] == 0
        assert (run / "test.json").exists()

    def test_the_end_in_one_go(self, glyphlet, digits, tmp_path):
        options = ("--min-accuracy", 0.01, "--hours", 0.02, "--finish", *SHORT)
        done = glyphlet("fit", digits, "-o", tmp_path, *options)
        assert done.code in (0, 1), done.err
        (run,) = runs_in(tmp_path / "runs")
        assert f"model  {run / 'model.onnx'}" in done.out
        assert (run / "model.onnx").exists()

    def test_an_accuracy_that_was_not_reached(self, glyphlet, digits, tmp_path):
        done = glyphlet("fit", digits, "--max-kb", 18, "--min-accuracy", 1, "-o", tmp_path, "--hours", 0.02, *SHORT)
        assert (done.code, done.err) == (1, "")
        assert re.search(
            r"a word accuracy of 1 was not reached: the best is micro-1-.* kB and .* ms. Next: train it to the end",
            done.out,
        )
        assert (tmp_path / "best.onnx").exists()

    def test_weights_are_stored_as_the_recipe_says(self, glyphlet, digits, tmp_path):
        """A head of 16 x 8 x 11 weights is large enough to be stored with fewer bits."""
        done = glyphlet("fit", digits, "--max-kb", 18, "-o", tmp_path / "f", "--hours", 0.02, *SHORT)
        assert done.code == 0, done.err
        done = glyphlet(
            "train",
            tmp_path / "f" / "best.yaml",
            "--runs",
            tmp_path / "runs",
            "--set",
            "weights=float16",
            "--set",
            "train.epochs=1",
        )
        assert done.code == 0, done.err
        assert "stored as float16" in done.out
        (run,) = runs_in(tmp_path / "runs")
        assert load_recipe(run / "recipe.yaml").weights == "float16"
        assert ", with charset and geometry" in (run / "report.html").read_text(encoding="utf-8")
        assert Reader(run / "model.onnx").metadata.parity["rounding"]["weights"] == "float16"


class TestRefused:
    def test_limits_that_cannot_be_met(self, glyphlet, digits, tmp_path):
        options = ("-o", tmp_path, *SHORT)
        glyphlet("fit", digits, "--max-kb", 1, *options).refused(
            "1.0 kB cannot be met on this machine", "micro-1-4", "raise --max-kb"
        )
        glyphlet("fit", digits, "--max-ms", 0.0001, *options).refused("0.000 ms cannot be met", "ms or more")

    @pytest.mark.parametrize(
        ("options", "fragments"),
        [
            ((), ("there is no target", "--max-kb 300")),
            (("--max-kb", -3), ("--max-kb is -3.0",)),
            (("--max-kb", "nan"), ("--max-kb is nan",)),
            (("--max-kb", 9, "--hours", 0), ("--hours is 0.0",)),
            (("--max-kb", 9, "--min-accuracy", 99), (".99 asks for",)),
            (("--max-kb", 9, "--family", "vgg"), ("no family 'vgg'", "glyph, micro")),
            (("--max-kb", 9, "--set", "start.path=print"), ("the recipe has a start",)),
            (("--max-kb", 9, "--set", "teacher.path=print"), ("the recipe has a teacher",)),
            (("--max-kb", 9, "--set", "model.head={name: attention}"), ("the head 'attention'",)),
            (("--max-kb", 9, "--set", "image.height=31"), ("31",)),
        ],
    )
    def test_wishes_that_make_no_sense(self, glyphlet, digits, tmp_path, options, fragments):
        glyphlet("fit", digits, "-o", tmp_path, *options).refused(*fragments)

    def test_labels_that_cannot_be_aligned(self, glyphlet, digits, tmp_path):
        labels = tmp_path / "labels.txt"
        image = digits.read_text(encoding="utf-8").split("\t")[0]
        labels.write_text("".join(f"{digits.parent / image}\t{'1' * 40}\n" for _ in range(20)), encoding="utf-8")
        glyphlet("fit", labels, "--max-kb", 50, "-o", tmp_path / "f").refused("too", "data.unalignable")

    def test_no_lines(self, glyphlet, tmp_path):
        glyphlet("fit", tmp_path / "no.txt", "--max-kb", 50, "-o", tmp_path / "f").refused("no.txt")

    def test_an_interruption_says_how_to_go_on(self, glyphlet, digits, tmp_path, monkeypatch):
        stop = Rungs.next

        def interrupting(self):
            self.runner.caught.append(2)
            return stop(self)

        options = ("fit", digits, "--max-kb", 18, "-o", tmp_path, "--hours", "0.02", *SHORT)
        with monkeypatch.context() as patch:
            patch.setattr(Rungs, "next", interrupting)
            done = glyphlet(*options)
        done.refused(
            "interrupted; what has come out is kept in", shlex.join(["glyphlet", *map(str, options)]), code=130
        )
        measured = []
        monkeypatch.setattr(Race, "seconds_an_update", lambda *args: measured.append(1))
        assert glyphlet(*options).code == 0
        assert measured == []  # what was measured is kept
