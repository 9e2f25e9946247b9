"""Every verb does what it is for, once, on next to nothing."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from glyphlet import Decoding, __version__
from glyphlet.charset import Charset
from glyphlet.cli import app
from glyphlet.data.labelfile import read_label_file
from glyphlet.export import parity
from glyphlet.runtime.reader import Reader
from glyphlet.train.restore import restore_run
from models.test_import_crnn import original as crnn
from models.test_importers import original, saved
from support import runs_in

VERBS = (
    "demo",
    "synth",
    "train",
    "fit",
    "evaluate",
    "calibrate",
    "export",
    "read",
    "serve",
    "lm",
    "models",
    "site",
    "import",
)


def first_images(digits, count=3):
    return [str(sample.source) for sample in read_label_file(digits)[:count]]


class TestHelp:
    def test_every_verb_is_listed(self, glyphlet):
        result = glyphlet("--help")
        assert result.code == 0
        groups = [group.typer_instance.info.name for group in app.registered_groups]
        assert re.findall(r"^│ (\w+)  +\S", result.out, re.M) == [
            *(c.name or c.callback.__name__ for c in app.registered_commands),
            *groups,
        ]
        assert groups == ["data", "shrink"]
        assert set(VERBS) == {c.name or c.callback.__name__ for c in app.registered_commands}

    @pytest.mark.parametrize("flag", ["--help", "-h"])
    @pytest.mark.parametrize("verb", VERBS)
    def test_of_a_verb(self, glyphlet, verb, flag):
        result = glyphlet(verb, flag)
        assert result.code == 0
        assert re.search(rf"Usage: .*glyphlet {verb} \[OPTIONS\]", result.out)
        assert result.err == ""

    def test_version(self, glyphlet):
        assert glyphlet("--version").out == f"glyphlet {__version__}\n"

    @pytest.mark.parametrize(("given", "kept"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
    def test_threads_that_wait_do_not_spin_unless_asked(self, glyphlet, monkeypatch, given, kept):
        monkeypatch.delenv("OMP_WAIT_POLICY")
        if given:
            monkeypatch.setenv("OMP_WAIT_POLICY", given)
        glyphlet("--version")
        assert os.environ["OMP_WAIT_POLICY"] == kept

    def test_no_verb_and_no_such_verb(self, glyphlet):
        assert re.search(r"Usage: .*glyphlet \[OPTIONS\] COMMAND", glyphlet().out)
        result = glyphlet("raed")
        assert result.code == 2
        assert "No such command 'raed'" in result.err

    def test_completion_for_bash(self):
        environment = {"_GLYPHLET_COMPLETE": "source_bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
        shown = CliRunner().invoke(app, ["--show-completion", "bash"], prog_name="glyphlet", env=environment)
        script = shown.stdout
        assert "complete -o default -F _glyphlet_completion glyphlet" in script


class TestSynth:
    def test_lines_with_labels_and_a_picture(self, glyphlet, tmp_path):
        options = ("--count", 5, "--charset", "digits", "--length", "2-3", "--sheet", tmp_path / "sheet.png")
        result = glyphlet("synth", tmp_path / "my set", *options)
        labels = tmp_path / "my set" / "labels.txt"
        assert (result.code, result.err) == (0, "")
        assert result.out.endswith(f"5 lines, labels {labels}\n")
        samples = read_label_file(labels)
        assert [len(s.text) in (2, 3) and s.text.isdigit() for s in samples] == [True] * 5
        for sample in samples:
            with Image.open(sample.source) as image:
                assert image.size == (30 * len(sample.text), 30)
        with Image.open(tmp_path / "sheet.png") as sheet:
            assert sheet.width in (4 * (90 + 4) + 4, 4 * (60 + 4) + 4)

    def test_an_older_set_is_replaced_on_request_only(self, glyphlet, tmp_path):
        assert glyphlet("synth", tmp_path, "--count", 2).code == 0
        before = (tmp_path / "labels.txt").read_bytes()
        glyphlet("synth", tmp_path, "--count", 1, "--seed", 1).refused("is not empty")
        assert (tmp_path / "labels.txt").read_bytes() == before
        assert glyphlet("synth", tmp_path, "--count", 1, "--seed", 1, "--overwrite").code == 0
        assert len(read_label_file(tmp_path / "labels.txt")) == 1

    def test_characters_of_a_file(self, glyphlet, tmp_path):
        (tmp_path / "chars.txt").write_text("x\ny\n", encoding="utf-8")
        assert glyphlet("synth", tmp_path / "set", "--count", 4, "--charset", tmp_path / "chars.txt").code == 0
        assert set("".join(s.text for s in read_label_file(tmp_path / "set" / "labels.txt"))) <= {"x", "y"}


class TestTrain:
    def test_labels_alone(self, glyphlet, digits, settings, tmp_path):
        result = glyphlet("train", digits, "--runs", tmp_path / "my runs", "--test", digits, *settings)
        assert (result.code, result.err) == (0, "")
        (folder,) = runs_in(tmp_path / "my runs")
        assert folder.name.endswith("_labels")
        assert f"report {folder}/report.html\nmodel  {folder}/model.onnx\n" in result.out
        *_, last = result.out.splitlines()
        command = shlex.split(
            last.removeprefix("read").strip().replace("IMAGE...", shlex.quote(first_images(digits)[0]))
        )
        assert command[:2] == ["glyphlet", "read"]
        assert glyphlet(*command[1:]).code == 0
        assert json.loads((folder / "test.json").read_text())["lines"] == 40

    def test_a_recipe_file_in_another_folder(self, glyphlet, job, tmp_path, monkeypatch):
        (tmp_path / "été").mkdir()
        shutil.copy(job.folder / "recipe.yaml", tmp_path / "été" / "r.yml")
        monkeypatch.chdir(tmp_path / "été")
        result = glyphlet("train", "r.yml", "--set", "train.epochs=1", "--set", "name=other")
        assert (result.code, result.err) == (0, "")
        assert [p.name.endswith("_other") for p in runs_in(tmp_path / "été" / "runs")] == [True]

    def test_a_label_file_with_a_name_that_is_not_ascii(self, glyphlet, digits, settings, tmp_path):
        labels = digits.with_name("标签 2024.txt")
        shutil.copy(digits, labels)
        assert glyphlet("train", labels, "--runs", tmp_path, *settings).code == 0
        (folder,) = runs_in(tmp_path)
        assert folder.name.endswith("_2024")
        assert glyphlet("train", "--resume", folder).code == 0  # the name is read back as a text, not as a number

    def test_a_finished_run_is_left_alone(self, glyphlet, job):
        before = {path: path.read_bytes() for path in job.folder.rglob("*") if path.is_file()}
        result = glyphlet("train", "--resume", job.folder)
        assert (result.code, result.err) == (0, "")
        assert f"{job.folder} is finished" in result.out
        assert before == {path: path.read_bytes() for path in job.folder.rglob("*") if path.is_file()}

    def test_a_finished_run_without_its_model_is_finished_again(self, glyphlet, job, tmp_path):
        folder = shutil.copytree(job.folder, tmp_path / "run")
        (folder / "model.onnx").unlink()
        result = glyphlet("train", "--resume", folder)
        assert (result.code, result.err) == (0, "")
        assert "all epochs done after 2 epochs" in result.out
        assert (folder / "model.onnx").read_bytes() == job.model.read_bytes()

    def test_the_link_to_the_newest_run_is_gone_on_with_and_stays(self, glyphlet, job, tmp_path):
        folder = shutil.copytree(job.folder, tmp_path / "run")
        (folder / "model.onnx").unlink()
        link = tmp_path / "latest"
        link.symlink_to("run", target_is_directory=True)
        result = glyphlet("train", "--resume", link)
        assert (result.code, result.err) == (0, "")
        assert link.resolve() == folder.resolve()
        assert (folder / "model.onnx").is_file()

    def test_windows_line_ends_spaces_and_doubled_names(self, glyphlet, digits, settings, tmp_path):
        """A label keeps its trailing space; the same image may have several lines."""
        rows = [f"{s.source}\t{s.text}" for s in read_label_file(digits)[:20]]
        content = "\ufeff" + "\r\n".join([*rows, rows[0] + " ", rows[1]]) + "\r\n\r\n"
        (tmp_path / "labels.txt").write_bytes(content.encode())
        result = glyphlet("train", tmp_path / "labels.txt", "--runs", tmp_path / "runs", *settings)
        assert (result.code, result.err) == (0, "")
        assert re.search(r"18 training and 4 validation lines, \d+ characters:  \d+\n", result.out)

    def test_a_batch_larger_than_the_set(self, glyphlet, digits, settings, tmp_path):
        result = glyphlet("train", digits, "--runs", tmp_path, *settings, "--set", "train.batch=1000000000")
        assert "all epochs done after 2 epochs, 2 updates" in result.out


class TestEvaluate:
    def test_figures_texts_and_a_report(self, glyphlet, job, digits, tmp_path):
        result = glyphlet("evaluate", job.model, digits, "-o", tmp_path / "read.txt", "--report", tmp_path / "r.html")
        assert (result.code, result.err) == (0, "")
        assert "Word accuracy" in result.out
        rows = (tmp_path / "read.txt").read_text(encoding="utf-8").splitlines()
        assert [row.split("\t")[0] for row in rows] == [str(s.source) for s in read_label_file(digits)]
        assert "Errors by confidence" in (tmp_path / "r.html").read_text(encoding="utf-8")

    def test_json(self, glyphlet, job, digits):
        result = glyphlet("evaluate", job.model, digits, digits, "--json")
        figures = json.loads(result.out)
        assert (figures["lines"], figures["characters"]) == (80, 160)
        assert 0 <= figures["word_accuracy"] <= figures["character_accuracy"] <= 1

    def test_labels_that_the_model_cannot_write_count_as_errors(self, glyphlet, job, digits, tmp_path):
        rows = [f"{s.source}\tx{s.text}" for s in read_label_file(digits)[:3]]
        (tmp_path / "l.txt").write_text("\n".join(rows), encoding="utf-8")
        result = glyphlet("evaluate", job.model, tmp_path / "l.txt", "--json")
        assert result.code == 0
        assert "'x' (U+0078 LATIN SMALL LETTER X) 3 times; these lines count as errors" in result.err
        assert json.loads(result.out)["correct_lines"] == 0


class TestExport:
    def test_a_run_and_a_checkpoint(self, glyphlet, job, tmp_path):
        for source, name in ((job.folder, "a.onnx"), (job.folder / "checkpoints" / "last.pt", "b.onnx")):
            result = glyphlet("export", source, "-o", tmp_path / name, "--name", "mine")
            assert (result.code, result.err) == (0, "")
            assert f"{tmp_path / name} (" in result.out
            assert "200 lines (8 real)" in result.out
            assert Reader(tmp_path / name).metadata.name == "mine"

    def test_other_lines(self, glyphlet, job, digits, tmp_path):
        result = glyphlet("export", job.folder, "-o", tmp_path / "m.onnx", "--lines", digits)
        assert "200 lines (40 real)" in result.out


class TestRead:
    def test_plain(self, glyphlet, job, digits):
        images = first_images(digits)
        result = glyphlet("read", "-m", job.model, *images)
        texts = [reading.text for reading in Reader(job.model).read(images)]
        assert (result.code, result.err) == (0, "")
        assert result.out == "".join(f"{path}\t{text}\n" for path, text in zip(images, texts, strict=True))

    def test_json(self, glyphlet, job, digits):
        images = first_images(digits, 40)
        result = glyphlet("read", "--model", job.model, "--json", "--batch", 3, *images)
        rows = [json.loads(line) for line in result.out.splitlines()]
        assert [row["path"] for row in rows] == images
        assert [row["source"] for row in rows] == images
        assert [row["text"] for row in rows] == [reading.text for reading in Reader(job.model).read(images)]
        assert all(0 <= row["confidence"] <= 1 and len(row["characters"]) == len(row["text"]) for row in rows)

    def test_a_folder_is_read_in_the_order_of_names(self, glyphlet, job, digits, tmp_path):
        for number, path in enumerate(reversed(first_images(digits))):
            shutil.copy(path, tmp_path / f"{number}.png")
        (tmp_path / "notes.txt").write_text("no image")
        result = glyphlet("read", "-m", job.model, tmp_path)
        singly = glyphlet("read", "-m", job.model, *sorted(tmp_path.glob("*.png")))
        assert (result.code, result.out) == (0, singly.out)
        assert result.out.count("\n") == len(first_images(digits))

    def test_one_bad_image_among_good_ones(self, glyphlet, job, digits, tmp_path):
        (tmp_path / "bad.png").write_bytes(b"\x89PNG nonsense")
        (tmp_path / "empty").mkdir()
        good = first_images(digits)
        paths = [
            good[0],
            tmp_path / "bad.png",
            good[1],
            tmp_path / "none.png",
            tmp_path / "empty",
            tmp_path / "*.jpg",
            good[2],
        ]
        result = glyphlet("read", "-m", job.model, *paths)
        assert result.code == 1
        assert [line.split("\t")[0] for line in result.out.splitlines()] == good
        errors = result.err.splitlines()
        assert len(errors) == 4
        for line, message in zip(
            errors,
            ("bad.png is not an image", "none.png does not exist", "is a folder", "*.jpg does not exist"),
            strict=True,
        ):
            assert line.startswith("glyphlet: ")
            assert message in line


class TestDecoding:
    def test_a_pattern(self, glyphlet, job, digits):
        images = first_images(digits, 40)
        result = glyphlet("read", "-m", job.model, "--json", "--pattern", r"[1-4]\d", "--beam", 8, *images)
        rows = [json.loads(line) for line in result.out.splitlines()]
        assert (result.code, result.err) == (0, "")
        assert all(re.fullmatch(r"[1-4]\d", row["text"]) for row in rows)
        assert not any("reason" in row for row in rows)

    def test_no_legal_text_is_an_empty_one_with_its_reason(self, glyphlet, job, digits):
        (image,) = first_images(digits, 1)
        result = glyphlet("read", "-m", job.model, "--pattern", r"\d{99}", image)
        assert (result.code, result.out) == (0, f"{image}\t\n")
        assert re.fullmatch(
            rf"glyphlet: {image}: the pattern .* needs at least 99 time steps, and the line has \d+\n", result.err
        )
        result = glyphlet("read", "-m", job.model, "--json", "--pattern", r"\d{99}", image)
        row = json.loads(result.out)
        assert (row["text"], row["confidence"]) == ("", 0)
        assert row["reason"].startswith("the pattern")

    def test_a_lexicon(self, glyphlet, job, digits, tmp_path):
        (tmp_path / "l.txt").write_text("12\n34\nxy\n")
        result = glyphlet("read", "-m", job.model, "--lexicon", tmp_path / "l.txt", *first_images(digits))
        assert {line.split("\t")[1] for line in result.out.splitlines()} <= {"12", "34"}
        assert "1 of 3 entries have characters that the model cannot write" in result.err

    def test_a_language_model(self, glyphlet, job, digits, tmp_path):
        (tmp_path / "t.txt").write_text("".join(f"{n}7\n" for n in range(10)) * 4)
        result = glyphlet("lm", tmp_path / "t.txt", "-o", tmp_path / "t.lm", "--order", 3)
        assert (result.code, result.err) == (0, "")
        found = re.search(r"40 lines, order 3, \d+ n-grams, (\S+) bits a character on 2 lines left out\n", result.out)
        # log2(10) bits for the first of three characters, little for the others
        assert 1.1 < float(found[1]) < 1.7
        images = first_images(digits)
        result = glyphlet(
            "read", "-m", job.model, "--lm", tmp_path / "t.lm", "--lm-weight", 2, "--lm-bonus", 3, *images
        )
        reader = Reader(job.model, decoding=Decoding(lm=tmp_path / "t.lm", lm_weight=2.0, length_bonus=3.0))
        assert [line.split("\t")[1] for line in result.out.splitlines()] == [r.text for r in reader.read(images)]

    def test_what_cannot_be(self, glyphlet, job, digits, tmp_path):
        command = ("read", "-m", job.model, *first_images(digits, 1))
        glyphlet(*command, "--pattern", "(?=1)").refused("character 1", "a lookahead", "Allowed: literals")
        glyphlet(*command, "--pattern", "[A-Z]").refused("allows no text that the model can write")
        glyphlet(*command, "--pattern", "iban").refused("allows no text")
        glyphlet(*command, "--lm", tmp_path / "no.lm").refused("no.lm cannot be read")
        glyphlet(*command, "--lm-weight", 1).refused("without a language model", "glyphlet lm text.txt")
        glyphlet(*command, "--lexicon-words").refused("there is no lexicon")
        glyphlet(*command, "--beam", 0).refused("beam is 0")
        (tmp_path / "t.txt").write_text("\n\n")
        glyphlet("lm", tmp_path / "t.txt", "-o", tmp_path / "t.lm").refused("the text is empty")
        glyphlet("lm", tmp_path / "no.txt", "-o", tmp_path / "t.lm").refused("no.txt cannot be read")
        (tmp_path / "t.txt").write_text("a\n")
        glyphlet("lm", tmp_path / "t.txt", "-o", tmp_path / "t.lm", "--case", "title").refused("--case is 'title'")


class TestModels:
    def test_the_tables(self, glyphlet):
        result = glyphlet("models")
        assert (result.code, result.err) == (0, "")
        for name in ("micro", "bilstm", "ctc", "demo", "lectaurep-numbers"):
            assert re.search(rf"\b{name}\b", result.out), name
        row = next(line for line in result.out.splitlines() if "crnn-5990" in line)
        assert row.split() == ["crnn-5990", "8,361,568", "11,385,190", "32,663", "1,118.7"]

    def test_json(self, glyphlet):
        values = json.loads(glyphlet("models", "--json", "--width", 256).out)
        assert values["width"] == 256
        rows = {row["name"]: row for row in values["recipes"]}
        assert rows["demo"]["parameters"] == 9935  # 51 nh + 2 (nh^2 + 15 nh) + (8 nh + 1) 63, nh = 16
        assert {part["name"] for part in values["parts"]} >= {"micro", "fold", "bilstm", "gru", "ctc"}

    def test_the_models_that_ship_need_no_torch(self, glyphlet, monkeypatch, tmp_path, job):
        weights = tmp_path / "weights"
        weights.mkdir()
        shutil.copy(job.model, weights / "print.onnx")
        accuracy = [{"set": "journal_lines", "exact": 0.875, "cer": 0.01, "lines": 24}]
        card = {"reads": "printed text", "ms": 1.25, "accuracy": accuracy}
        (weights / "cards.json").write_text(json.dumps({"print": card}))
        monkeypatch.setattr("glyphlet.runtime.shipped.WEIGHTS", weights)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        kilobytes = round(job.model.stat().st_size / 1024)
        result = glyphlet("models")
        assert (result.code, result.err) == (0, "")
        row = next(line for line in result.out.splitlines() if "print" in line and "text" in line)
        assert row.split() == f"print printed text 87.5% of 24 journal_lines {kilobytes} 1.2".split()
        assert "the parts and recipes of training: pip install 'glyphlet[train]'" in result.out
        assert json.loads(glyphlet("models", "--json").out) == {
            "models": [{"name": "print", "file_kb": kilobytes, **card}]
        }


class TestImport:
    def test_a_checkpoint_of_micro_ocr(self, glyphlet, tmp_path):
        model = original(nh=4, rnn="lstm")
        saved(tmp_path / "m.pth", model)
        result = glyphlet("import", tmp_path / "m.pth", "--from", "micro-ocr", "-o", tmp_path / "m.onnx")
        assert (result.code, result.err) == (0, "")
        assert "neck bilstm, 63 classes, RGB" in result.out
        assert "the checkpoint says of itself: word_acc 0.9712" in result.out
        metadata = Reader(tmp_path / "m.onnx").metadata
        assert metadata.name == "m"
        assert metadata.measured == {"said_by_the_checkpoint": {"word_acc": 0.9712, "char_acc": 0.9901}}
        assert metadata.training["parameters"] == sum(p.numel() for p in model.parameters())

    def test_with_lines_and_a_charset_of_its_own(self, glyphlet, digits, tmp_path):
        """Chinese characters: Pillow's own font has none, so lines must be given."""
        (tmp_path / "chars.txt").write_text("\n".join("京沪津"), encoding="utf-8")
        torch.save(original(nh=2, classes=4).state_dict(), tmp_path / "m.pth")
        command = ("import", tmp_path / "m.pth", "--from", "micro-ocr", "--charset", tmp_path / "chars.txt")
        glyphlet(*command, "-o", tmp_path / "m.onnx").refused("--images")
        lines = [option for path in first_images(digits) for option in ("--images", path)]
        result = glyphlet(*command, "-o", tmp_path / "m.onnx", *lines)
        assert (result.code, result.err) == (0, "")
        assert Reader(tmp_path / "m.onnx").metadata.charset.text == "京沪津"

    def test_a_training_starts_from_it(self, glyphlet, digits, tmp_path):
        saved(tmp_path / "m.pth", original(nh=4, depth=1))
        start = tmp_path / "start.pt"
        result = glyphlet("import", tmp_path / "m.pth", "--from", "micro-ocr", "-o", start)
        assert (result.code, result.err) == (0, "")
        assert "a checkpoint to train on from" in result.out
        settings = ("train.threads=1", "train.accelerator=cpu", "train.epochs=1", "train.lr=1e-9", "train.entropy=0")
        command = ("train", digits, "--start", start, "--runs", tmp_path / "runs")
        result = glyphlet(*command, *(word for setting in settings for word in ("--set", setting)))
        assert result.code == 0, result.err
        (run,) = runs_in(tmp_path / "runs")
        reader = Reader(run / "model.onnx")
        assert reader.metadata.charset.text == Charset.named("alphanumeric").text
        assert reader.metadata.geometry.padding == "black"
        images = first_images(digits)
        glyphlet("export", start, "-o", tmp_path / "before.onnx").refused(
            "start.pt names no lines", "--lines labels.txt"
        )
        glyphlet("export", start, "-o", tmp_path / "before.onnx", "--lines", digits)
        before = [reading.text for reading in Reader(tmp_path / "before.onnx").read(images)]
        assert [reading.text for reading in reader.read(images)] == before


class TestImportOfCRNN:
    @pytest.fixture(autouse=True)
    def few_copies(self, monkeypatch):
        """The network is large; the comparison itself has tests of its own."""
        monkeypatch.setattr(parity, "LINES", 4)
        monkeypatch.setattr(parity, "VARIED", 4)

    @pytest.fixture
    def few(self, digits, tmp_path_factory):
        """Eight of the lines."""
        path = tmp_path_factory.mktemp("few") / "labels.txt"
        path.write_text("".join(f"{s.source}\t{s.text}\n" for s in read_label_file(digits)[:8]), encoding="utf-8")
        return path

    @pytest.fixture
    def checkpoint(self, tmp_path):
        torch.save(crnn(classes=11).state_dict(), tmp_path / "net CRNN.pth")
        return tmp_path / "net CRNN.pth"

    def test_it_is_measured_and_compared_on_labelled_lines(self, glyphlet, few, checkpoint, tmp_path):
        model = tmp_path / "m.onnx"
        command = ("import", checkpoint, "--from", "chinese-crnn", "--charset", "digits", "--lines", few)
        result = glyphlet(*command, "-o", model)
        assert (result.code, result.err) == (0, "")
        assert "the width squeezed by 1.75" in result.out
        figure = re.search(
            r"word accuracy (0\.\d{4}) \((\d+)/8; 95 % interval 0\.\d{4} to 0\.\d{4}\), CER \d", result.out
        )
        reader = Reader(model)
        assert (reader.metadata.geometry.squeeze, reader.metadata.features) == (1.75, ("geometry.squeeze",))
        assert reader.metadata.parity["real"] == 8
        assert reader.metadata.measured["lines"] == 8
        assert f"{reader.metadata.measured['word_accuracy']:.4f}" == figure[1]
        evaluated = json.loads(glyphlet("evaluate", model, few, "--json").out)
        assert evaluated["correct_lines"] == int(figure[2])
        assert evaluated["cer"] == pytest.approx(reader.metadata.measured["cer"])

    def test_labels_outside_its_characters_count_as_errors(self, glyphlet, checkpoint, tmp_path):
        labels = tmp_path / "labels.txt"
        Image.new("L", (64, 32), 200).save(tmp_path / "a.png")
        labels.write_text("a.png\tx1\n")
        command = ("import", checkpoint, "--from", "crnn-model", "--charset", "digits", "--lines", labels)
        result = glyphlet(*command, "-o", tmp_path / "m.onnx")
        assert result.code == 0
        assert "word accuracy 0.0000 (0/1;" in result.out
        assert "'x' (U+0078 LATIN SMALL LETTER X) 1 times; these lines count as errors" in result.err

    def test_a_checkpoint_to_train_on_from(self, glyphlet, few, checkpoint, tmp_path):
        path = tmp_path / "start.pt"
        command = ("import", checkpoint, "--from", "crnn-pytorch", "--charset", "digits", "-o", path)
        result = glyphlet(*command)
        assert (result.code, result.err) == (0, "")
        restored = restore_run(path)
        assert (restored.recipe.name, restored.recipe.source) == ("net-CRNN", "crnn-pytorch")
        assert (restored.recipe.image.width, restored.measured) == (100, {})
        x = torch.randn(1, 1, 32, 100, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            torch.testing.assert_close(restored.model(x), crnn(classes=11)(x).transpose(0, 1), rtol=0, atol=1e-5)
        assert glyphlet(*command, "--lines", few).code == 0
        assert restore_run(path).measured["validation_lines"] == 8
        result = glyphlet("export", path, "-o", tmp_path / "m.onnx", "--lines", few)
        assert (result.code, result.err) == (0, "")

    def test_what_cannot_be(self, glyphlet, checkpoint, tmp_path):
        command = ("import", checkpoint, "-o", tmp_path / "m.onnx", "--from")
        glyphlet(*command, "chinese-crnn").refused("checkpoints of chinese-crnn need their characters", "--charset")
        glyphlet(*command, "crnn-pytorch").refused("the charset has 36 characters, but", "has 11 classes")
        glyphlet(*command, "crnn-pytorch", "--recurrence", "step").refused("--recurrence is 'step', but the recurrent")
        glyphlet(*command, "crnn-pytorch", "--charset", "digits", "--lines", tmp_path / "no.txt").refused("no.txt")
        glyphlet(*command, "micro-ocr").refused("no weights named 'conv.conv.weight' (but cnn.conv0.weight,")
        start = ("import", checkpoint, "-o", tmp_path / "m.pt", "--from", "crnn-pytorch", "--charset", "digits")
        glyphlet(*start, "--images", "a.png").refused("--images is given")
        assert [path.name for path in tmp_path.iterdir()] == [checkpoint.name]


class TestDemo:
    SMALL = (
        "data.train={count: 200, min_length: 1, max_length: 1, font_size: [25, 25]}",
        "data.test={count: 24, min_length: 1, max_length: 1, font_size: [25, 25]}",
        "charset={text: IO}", "train.threads=1", "train.accelerator=cpu", "train.epochs=8", "train.batch=16",
        "model.backbone.nh=8", "train.entropy=0",
    )  # fmt: skip

    def demo(self, glyphlet, folder, *settings):
        return glyphlet("demo", "-o", folder, *(x for s in (*self.SMALL, *settings) for x in ("--set", s)))

    def test_the_last_line_is_the_word_accuracy(self, glyphlet, tmp_path):
        result = self.demo(glyphlet, tmp_path / "my demo")
        assert (result.code, result.err) == (0, "")
        lines = result.out.splitlines()
        assert lines[-1] == "word accuracy 1.0000 (24/24)"
        (run,) = runs_in(tmp_path / "my demo" / "runs")
        assert f"model  {run / 'model.onnx'}" in lines
        assert sum(line.startswith("  000") for line in lines) == 8
        (command,) = [line.removeprefix("try") for line in lines if line.startswith("try")]
        *command, pattern = shlex.split(command)
        read = glyphlet(*command[1:], *sorted(Path(pattern).parent.glob(Path(pattern).name)))
        assert (read.code, len(read.out.splitlines())) == (0, 24)

    def test_a_missed_figure_is_exit_code_1(self, glyphlet, tmp_path):
        result = self.demo(glyphlet, tmp_path, "train.epochs=1", "train.lr=1e-9")
        assert result.code == 1
        assert re.fullmatch(r"word accuracy 0\.\d{4} \(\d+/24\)", result.out.splitlines()[-1])

    def test_without_test_lines(self, glyphlet, tmp_path):
        self.demo(glyphlet, tmp_path, "data.test=null").refused("the demonstration needs test lines")
