"""`glyphlet evaluate`: confidences, two models, decoding options, lines that cannot be read."""

import json

import pytest
from PIL import Image

from glyphlet.cli.decoding_options import DecodingOptions
from glyphlet.data.labelfile import read_label_file
from glyphlet.errors import GlyphletError, RecipeError
from glyphlet.runtime.reader import Reader


class TestConfidence:
    def test_it_is_told(self, glyphlet, job, digits):
        out = glyphlet("evaluate", job.model, digits).out
        assert "Calibration error (ECE) of lines" in out
        assert "1 % promised" in out
        assert (
            "40 lines are too few to promise at most 1 % of errors: it takes 299 accepted lines without any error"
            in out
        )

    def test_json(self, glyphlet, job, digits):
        figures = json.loads(glyphlet("evaluate", job.model, digits, "--json").out)["confidence"]
        assert [entry["most_errors"] for entry in figures["thresholds"]] == [0.01, 0.001]
        for entry in figures["thresholds"]:
            assert entry["accepted"] + entry["rejected"] == 40
            assert entry["promised"]["threshold"] is None
        assert figures["lines"]["readings"] == sum(b["count"] for b in figures["lines"]["bins"]) == 40


class TestCompare:
    def test_with_itself(self, glyphlet, job, digits, tmp_path):
        page = tmp_path / "r.html"
        result = glyphlet("evaluate", job.model, digits, "--compare", job.model, "--report", page)
        assert (result.code, result.err) == (0, "")
        assert "Compared on 40 lines that both read" in result.out
        assert "+0.00 points" in result.out
        html = page.read_text(encoding="utf-8")
        assert "the first and the second" in html
        assert "<script" not in html

    def test_with_a_model_of_another_charset(self, glyphlet, job, digits):
        result = glyphlet("evaluate", "print", digits, "--compare", job.model, "--json")
        found = json.loads(result.out)
        compared = found["comparison"]
        assert (result.code, compared["models"][0]) == (0, "print")
        rights = [scores["correct_lines"] for scores in compared["scores"]]
        assert rights[0] == found["correct_lines"]
        assert compared["word_accuracy"]["gained"] - compared["word_accuracy"]["lost"] == rights[1] - rights[0]

    def test_with_none(self, glyphlet, job, digits):
        glyphlet("evaluate", job.model, digits, "--compare", "none.onnx").refused("none.onnx does not exist")


class TestDecoding:
    def test_a_pattern(self, glyphlet, digits, tmp_path):
        texts = tmp_path / "read.txt"
        result = glyphlet(
            "evaluate", "digits", digits, "--pattern", r"\d{2}", "-o", texts, "--report", tmp_path / "r.html"
        )
        assert result.code == 0
        read = [row.split("\t")[1] for row in texts.read_text(encoding="utf-8").splitlines()]
        assert {len(text) for text in read} <= {0, 2}  # none where the model sees no text
        assert sum(text.isdigit() for text in read) > 20
        assert r"decoded with --pattern \d{2}" in (tmp_path / "r.html").read_text(encoding="utf-8")

    def test_the_texts_are_those_of_read(self, glyphlet, digits, tmp_path):
        entries = tmp_path / "lexicon.txt"
        entries.write_text("12\n34\n56\n", encoding="utf-8")
        images = [str(sample.source) for sample in read_label_file(digits)]
        glyphlet("evaluate", "digits", digits, "--lexicon", entries, "-o", tmp_path / "read.txt")
        shown = glyphlet("read", "-m", "digits", "--lexicon", entries, *images).out
        assert (tmp_path / "read.txt").read_text(encoding="utf-8") == shown

    def test_empty_texts_are_told(self, glyphlet, digits):
        result = glyphlet("evaluate", "digits", digits, "--pattern", r"\d{500}")
        assert result.code == 0
        assert "40 lines have an empty text; the first, " in result.err
        assert "needs at least 500 time steps" in result.err

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            (("--lm-weight", "1"), "without a language model"),
            (("--pattern", "["), "pattern"),
            (("--beam", "0"), "beam is 0"),
            (("--lexicon-words",), "there is no lexicon"),
            (("--lexicon", "none.txt"), "none.txt"),
        ],
    )
    def test_what_cannot_be_is_refused(self, glyphlet, digits, options, problem):
        glyphlet("evaluate", "digits", digits, *options).refused(problem)

    def test_no_option_is_the_greedy_reading(self):
        assert DecodingOptions().decoding() is None
        assert DecodingOptions().told() == ""

    def test_all_options_arrive(self, tmp_path):
        options = DecodingOptions(None, tmp_path / "a", True, tmp_path / "b", 0.7, 0.2, 5)
        made = options.decoding()
        assert (made.lexicon, made.words, made.lm) == (tmp_path / "a", True, tmp_path / "b")
        assert (made.lm_weight, made.length_bonus, made.beam) == (0.7, 0.2, 5)
        assert options.told().endswith("--lm-weight 0.7 --lm-bonus 0.2 --beam 5 --lexicon-words")
        assert DecodingOptions(pattern="a+").decoding().pattern == "a+"
        with pytest.raises(GlyphletError, match="without a language model"):
            DecodingOptions(lm_bonus=1.0).decoding()
        with pytest.raises(RecipeError, match="both a pattern and a lexicon"):
            DecodingOptions(pattern="a", lexicon=tmp_path).decoding()


class TestCase:
    def test_it_is_ignored_everywhere(self, glyphlet, tmp_path, digits):
        first = read_label_file(digits)[0]
        truth = Reader("print").read_one(first.source).text
        (tmp_path / "l.txt").write_text(f"{first.source}\t{truth.swapcase()}x\n", encoding="utf-8")
        result = glyphlet(
            "evaluate", "print", tmp_path / "l.txt", "--ignore-case", "--json", "--report", tmp_path / "r.html"
        )
        found = json.loads(result.out)
        assert (found["edits"], found["confusions"]) == (1, [{"truth": "x", "read": "", "count": 1}])
        html = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert "case is ignored" in html
        assert html.count("<mark") == 1


class TestLeftOut:
    @pytest.fixture
    def labels(self, tmp_path, digits):
        Image.new("L", (40_000, 8)).save(tmp_path / "wide.png")
        rows = [f"{sample.source}\t{sample.text}" for sample in read_label_file(digits)[:3]]
        rows += ["wide.png\t1", *[f"none{n}.png\t1" for n in range(30)]]
        (tmp_path / "l.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
        return tmp_path / "l.txt"

    def test_they_are_told_and_counted(self, glyphlet, job, labels, tmp_path):
        result = glyphlet("evaluate", job.model, labels, "--beam", 2, "--report", tmp_path / "r.html", "--json")
        assert (result.code, json.loads(result.out)["lines"]) == (1, 3)
        assert result.err.count("left out: ") == 20
        assert "wide.png" in result.err
        assert "31 lines are left out" in result.err
        assert "images that could not be read and are left out: 31" in (tmp_path / "r.html").read_text(encoding="utf-8")

    @pytest.mark.parametrize("option", ["--report", "-o"])
    def test_where_nothing_can_be_written_nothing_is_read(self, glyphlet, job, digits, tmp_path, option):
        result = glyphlet("evaluate", job.model, digits, option, tmp_path / "none" / "r.html")
        result.refused("none does not exist", "make the folder")
        assert result.out == ""
        glyphlet("evaluate", job.model, digits, option, tmp_path).refused("is a folder")
