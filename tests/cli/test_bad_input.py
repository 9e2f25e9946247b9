"""What a newcomer does wrong: one sentence that names it, the right exit code, no traceback, and nothing lost."""

import json
import os
import re
import subprocess

import numpy as np
import onnx
import pytest
from PIL import Image

from glyphlet.data.labelfile import read_label_file
from support import runs_in


@pytest.fixture
def lines(tmp_path):
    """Writes a label file with images of these sizes, 30 x 60 by default."""

    def write(*rows, encoding="utf-8", name="labels.txt"):
        for image, _ in rows:
            if not (tmp_path / image).exists():
                Image.new("L", (60, 30), 255).save(tmp_path / image)
        path = tmp_path / name
        path.write_bytes("".join(f"{image}\t{text}\n" for image, text in rows).encode(encoding))
        return path

    return write


FOUR = [(f"{i}.png", "12") for i in range(4)]


class TestLabelFiles:
    @pytest.mark.parametrize(
        ("content", "fragments"),
        [
            (b"", ["labels.txt holds no labels", "one line for each image"]),
            (b"\r\n\n", ["labels.txt holds no labels"]),
            (b"a.png\t12\nb.png 12\n", ["labels.txt line 2 has no tab: 'b.png 12'"]),
            (b"\t12\n", ["line 1 has no path"]),
            (b"a.png\t12\n", ["1 line is too few to cut a validation part from"]),
            ("a.png\t中文\n".encode("gbk"), ["line 1 is not UTF-8", "iconv -f GB18030 -t UTF-8 labels.txt"]),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("verb", ["train", "evaluate"])
    def test_malformed(self, glyphlet, job, tmp_path, content, fragments, verb):
        if verb == "evaluate" and "too few" in fragments[0]:
            pytest.skip("one line is enough for an evaluation")
        (tmp_path / "labels.txt").write_bytes(content)
        before = sorted(tmp_path.rglob("*"))
        command = ["train", "--runs", tmp_path / "runs"] if verb == "train" else ["evaluate", job.model]
        glyphlet(*command, tmp_path / "labels.txt").refused(*fragments, "Allowed: ")
        assert sorted(tmp_path.rglob("*")) == before

    def test_missing_or_a_folder(self, glyphlet, tmp_path):
        glyphlet("train", tmp_path / "l.txt").refused("l.txt cannot be read: No such file", "check the path")
        glyphlet("train", tmp_path).refused("nothing that is known as labelled lines", "name the label file itself")

    def test_an_empty_label(self, glyphlet, lines, tmp_path):
        path = lines(*FOUR[:3], ("3.png", ""))
        result = glyphlet("train", path, "--runs", tmp_path / "runs")
        result.refused("1 of 3 labels are empty", "line 4", "data.empty=keep", "data.empty=drop")

    def test_a_missing_image(self, glyphlet, lines, tmp_path):
        path = lines(*FOUR)
        (tmp_path / "2.png").unlink()
        result = glyphlet("train", path, "--runs", tmp_path / "runs")
        result.refused("1 of 3 images cannot be read", "2.png does not exist", "line 3", "data.unreadable=drop")
        assert not (tmp_path / "runs").exists()

    def test_an_image_that_was_cut_off(self, glyphlet, lines, tmp_path):
        path = lines(*FOUR)
        Image.effect_noise((60, 30), 50).save(tmp_path / "1.png")
        data = (tmp_path / "1.png").read_bytes()
        (tmp_path / "1.png").write_bytes(data[: len(data) // 2])
        glyphlet("train", path, "--runs", tmp_path / "runs").refused("1.png is damaged", "line 2")

    def test_damage_behind_the_header_of_a_jpeg_is_found_before_the_training(
        self, glyphlet, digits, settings, tmp_path
    ):
        rows = [f"{s.source}\t{s.text}" for s in read_label_file(digits)]
        Image.effect_noise((600, 300), 90).save(tmp_path / "cut.jpg")
        data = (tmp_path / "cut.jpg").read_bytes()
        (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
        (tmp_path / "l.txt").write_text("\n".join([*rows, "cut.jpg\t12"]), encoding="utf-8")
        result = glyphlet("train", tmp_path / "l.txt", "--runs", tmp_path / "runs", *settings)
        result.refused("cut.jpg is damaged", f"({tmp_path / 'l.txt'} line 41)", "data.unreadable=drop")
        dropped = [*settings, "--set", "data.unreadable=drop"]
        result = glyphlet(
            "train", tmp_path / "l.txt", "--test", tmp_path / "l.txt", "--runs", tmp_path / "runs", *dropped
        )
        assert result.code == 0
        assert "1 of " in result.out
        assert "left out of the test: " in result.out
        assert "40 of 41 test images are also training or validation images" in result.out

    def test_a_character_outside_the_charset(self, glyphlet, lines, tmp_path):
        path = lines(*FOUR[:3], ("3.png", "1é"))
        result = glyphlet("train", path, "--runs", tmp_path / "runs", "--set", "charset.name=digits")
        result.refused("'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE)", "line 4", "data.unknown=drop")

    def test_a_label_too_long_for_its_image(self, glyphlet, lines, tmp_path):
        path = lines(*FOUR[:3], ("3.png", "1" * 20))
        result = glyphlet("train", path, "--runs", tmp_path / "runs")
        result.refused("needs 39 steps, its image of 64 pixels gives 16", "data.unalignable=drop")

    def test_what_is_left_out_on_request_is_said(self, glyphlet, digits, settings, tmp_path):
        rows = [f"{s.source}\t{s.text}" for s in read_label_file(digits)]
        path = tmp_path / "l.txt"
        path.write_text("\n".join([*rows, "none.png\t12", f"{digits.parent}/images/000000.png\t{'7' * 90}"]), "utf-8")
        command = ("train", path, "--runs", tmp_path / "runs", *settings)
        options = ("data.unreadable=drop", "data.unalignable=drop", "charset.name=digits")
        result = glyphlet(*command, *(x for option in options for x in ("--set", option)))
        assert (result.code, result.err) == (0, "")
        assert "images cannot be read: " in result.out
        assert "labels are too long for their image: " in result.out


class TestImages:
    """Images that are unusual, and fine."""

    @pytest.fixture
    def images(self, tmp_path):
        rng = np.random.default_rng(0)
        rgb = rng.integers(0, 256, (30, 60, 3), dtype=np.uint8)
        folder = tmp_path / "my images ü"
        folder.mkdir()
        Image.fromarray(rgb[:1, :1]).save(folder / "1x1.png")
        Image.fromarray(np.tile(rgb, (1, 500, 1))).save(folder / "wide.png")
        Image.fromarray(rgb).convert("CMYK").save(folder / "cmyk.jpg")
        Image.fromarray(rng.integers(0, 65536, (30, 60), dtype=np.uint16)).save(folder / "16bit.png")
        Image.fromarray(rng.integers(0, 256, (30, 60, 4), dtype=np.uint8)).save(folder / "transparent.png")
        Image.fromarray(rgb).convert("P").save(folder / "palette.gif")
        Image.fromarray(rgb[:, :, 0] > 128).save(folder / "bits.tif")
        return sorted(runs_in(folder))

    def test_they_are_read(self, glyphlet, job, images):
        result = glyphlet("read", "-m", job.model, *images)
        assert (result.code, result.err) == (0, "")
        assert [line.split("\t")[0] for line in result.out.splitlines()] == [str(path) for path in images]

    def test_they_are_trained_on(self, glyphlet, digits, images, settings, tmp_path):
        rows = [f"{s.source}\t{s.text}" for s in read_label_file(digits)]
        rows += [f"{path}\t1" for path in images]
        (tmp_path / "l.txt").write_text("\n".join(rows), encoding="utf-8")
        result = glyphlet("train", tmp_path / "l.txt", "--runs", tmp_path / "runs", *settings)
        assert (result.code, result.err) == (0, "")
        assert "38 training and 9 validation lines" in result.out

    def test_a_missing_one_is_named_by_an_evaluation(self, glyphlet, job, tmp_path):
        (tmp_path / "l.txt").write_text("none.png\t12\n", encoding="utf-8")
        result = glyphlet("evaluate", job.model, tmp_path / "l.txt")
        assert result.code == 2
        assert re.match(r"glyphlet: left out: .*none\.png .*does not exist", result.err)
        assert "Traceback" not in result.err

    def test_a_missing_one_is_left_out_of_the_figures(self, glyphlet, job, digits, tmp_path):
        rows = [f"{sample.source}\t{sample.text}" for sample in read_label_file(digits)[:3]]
        (tmp_path / "l.txt").write_text("\n".join([rows[0], "none.png\t12", *rows[1:]]) + "\n", encoding="utf-8")
        result = glyphlet("evaluate", job.model, tmp_path / "l.txt", "--json")
        assert result.code == 1
        assert "left out: " in result.err
        assert json.loads(result.out)["lines"] == 3


class TestModelFiles:
    @pytest.fixture
    def image(self, digits):
        return read_label_file(digits)[0].source

    @pytest.mark.parametrize(
        ("content", "fragment"),
        [
            (os.urandom(3000), "is not an ONNX model"),
            (b"", "is empty"),
            ("ceci n'est pas un modèle\n".encode(), "is not an ONNX model"),
        ],
        ids=["random", "empty", "text"],
    )
    def test_files_that_are_not_ours(self, glyphlet, image, tmp_path, content, fragment):
        (tmp_path / "m.onnx").write_bytes(content)
        glyphlet("read", "-m", tmp_path / "m.onnx", image).refused(f"m.onnx {fragment}", "`glyphlet export`")

    def test_a_foreign_onnx_model(self, glyphlet, image, tmp_path):
        value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
        graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", value[:1], value[1:])
        opsets = [onnx.helper.make_opsetid("", 17)]
        onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "m.onnx")
        glyphlet("read", "-m", tmp_path / "m.onnx", image).refused("is an ONNX model, but not a Glyphlet model")

    def test_one_that_is_missing_a_folder_or_damaged(self, glyphlet, job, image, tmp_path):
        glyphlet("read", "-m", tmp_path / "m.onnx", image).refused("m.onnx does not exist")
        glyphlet("read", "-m", job.folder, image).refused("is a folder", "name the .onnx file inside it")
        data = bytearray(job.model.read_bytes())
        data[len(data) // 2] ^= 1
        (tmp_path / "m.onnx").write_bytes(data)
        glyphlet("evaluate", tmp_path / "m.onnx", "l.txt").refused(
            "m.onnx is damaged", "copy or download the file again"
        )

    def test_no_model(self, glyphlet, image, monkeypatch, tmp_path):
        monkeypatch.setattr("glyphlet.runtime.shipped.WEIGHTS", tmp_path)
        glyphlet("read", image).refused("no model is named, and the model print does not ship", "-m model.onnx")

    def test_no_images(self, glyphlet, job):
        result = glyphlet("read", "-m", job.model)
        assert result.code == 2
        assert "nothing to read was named" in result.err

    def test_a_checkpoint_where_a_model_belongs_and_the_other_way_round(self, glyphlet, job, image, tmp_path):
        best = job.folder / "checkpoints" / "best.pt"
        glyphlet("read", "-m", best, image).refused("best.pt is not an ONNX model")
        glyphlet("export", job.model, "-o", tmp_path / "m.onnx").refused("model.onnx is damaged or not a checkpoint")
        command = ("import", best, "--from", "micro-ocr", "-o", tmp_path / "m.onnx")
        glyphlet(*command).refused("no weights named 'conv.conv.weight'")
        assert not (tmp_path / "m.onnx").exists()


class TestRecipes:
    @pytest.mark.parametrize(
        ("setting", "fragment"),
        [
            ("train.lr", "--set 'train.lr' is not a setting"),
            ("=", "--set '=' is not a setting"),
            ("train.lr=[", "is not YAML"),
            ("train.lr=nan", "train.lr is 'nan'. Allowed: Input should be a finite number"),
            ("train.lr=-1", "train.lr is -1"),
            ("train.epochs=0", "train.epochs is 0"),
            ("train.batch=-5", "train.batch is -5"),
            ("train.seed=-1", "train.seed is -1"),
            ("train.threads=100000", "train.threads is 100000"),
            ("train.accelerator=tpu", "train.accelerator 'tpu'"),
            ("train.devices=0", "devices 0"),
            ("trian.lr=1", "there is no setting trian (did you mean 'train'?)"),
            ("data.train.count=3", "train is not a section"),
            ("model.backbone.width=-4", "model.backbone.width is -4. Allowed: a whole number from 4 to 2048"),
            ("model.backbone.width=many", "backbone 'glyph' has width 'many'"),
            ("model.backbone.name=resnet", "there is no backbone named 'resnet'"),
            ("model.neck={name: bilstm, hidden: many}", "neck 'bilstm' has hidden 'many'"),
            (
                "model.neck={name: bilstm, hidden: 1000000000}",
                "model.neck.hidden is 1000000000. Allowed: a whole number from 1 to 4096",
            ),
            ("train.workers=-1", "train.workers is -1. Allowed"),
            ("train.cycle_epochs=1e308", "train.cycle_epochs is 1e+308"),
            ("model.neck.hidden=4", "neck 'fold' has no option 'hidden'"),
            ("image.height=48", "set image.height to 64"),
            ("model.head.dropout=2", "the model cannot be built: dropout probability"),
            ("image.height=30", "set image.height to 32"),
            ("augment=[{name: shfit}]", "there is no effect named 'shfit' (did you mean 'shift'?)"),
            ("charset.file=none.txt", "none.txt cannot be read"),
            ("charset.name=digit", "there is no charset named 'digit'"),
        ],
    )
    def test_nonsense_settings(self, glyphlet, lines, tmp_path, setting, fragment):
        path = lines(*FOUR)
        glyphlet("train", path, "--runs", tmp_path / "runs", "--set", setting).refused(fragment)
        assert not (tmp_path / "runs").exists()

    def test_files_that_are_no_recipe(self, glyphlet, tmp_path):
        path = tmp_path / "r.yaml"
        for content in (b"train: [1", b"\xff\xfe", b"", b"hello"):
            path.write_bytes(content)
            glyphlet("train", path).refused("r.yaml is not a recipe")
        path.write_text("train: {epoch: 3}\n")
        glyphlet("train", path).refused("there is no setting train.epoch (did you mean 'epochs'?)")
        path.write_text("train: {epochs: 3}\n")
        glyphlet("train", path).refused("the recipe names no training lines", "data.train=[labels.txt]")

    def test_names_that_do_not_exist(self, glyphlet, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        glyphlet("train", "demoo").refused("there is no recipe 'demoo' (did you mean 'demo'?)")
        glyphlet("train", "r.yaml").refused("there is no recipe 'r.yaml'")
        glyphlet("train").refused("there is nothing to train on")
        glyphlet("train", "demo", "labels.txt").refused("demo is given together with other files")
        glyphlet("train", "--resume", "runs").refused("runs is not a run folder")
        glyphlet("train", "demo", "--resume", "runs").refused("--resume is given together")
        glyphlet("export", "runs", "-o", "m.onnx").refused("there is no checkpoint runs")
        glyphlet("import", "m.pth", "--from", "micro-ocr", "-o", "m.onnx").refused("there is no file m.pth")
        glyphlet("import", "m.pth", "--from", "paddle", "-o", "m.onnx").refused(
            "--from is 'paddle'. Allowed: micro-ocr, crnn-pytorch, chinese-crnn, crnn-model"
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_charset_file_that_doubles_a_character(self, glyphlet, tmp_path):
        (tmp_path / "c.txt").write_text("a\nb\na\n", encoding="utf-8")
        glyphlet("synth", tmp_path / "set", "--charset", tmp_path / "c.txt").refused(
            "'a' (U+0061 LATIN SMALL LETTER A)"
        )
        assert not (tmp_path / "set").exists()

    @pytest.mark.parametrize(
        ("options", "fragment"),
        [
            (["--length", "4-2"], "--length is '4-2'"),
            (["--length", "many"], "--length is 'many'"),
            (["--size", "5"], "both from 8 to 256 pixels"),
            (["--background", "blue"], "background is 'blue'"),
            (["--font", "none.ttf"], "the font none.ttf does not exist"),
            (["--text", "none.txt"], "none.txt cannot be read"),
            (["--charset", "none.txt"], "none.txt cannot be read"),
            (["--count", "1", "--sheet", "sheet.nonsense"], "--sheet is 'sheet.nonsense'"),
        ],
    )
    def test_synth(self, glyphlet, tmp_path, options, fragment):
        glyphlet("synth", tmp_path / "set", *options).refused(fragment)

    @pytest.mark.parametrize("option", [["--count", "0"], ["--count", "many"], ["--cuont", "3"]])
    def test_options_that_the_command_line_checks(self, glyphlet, tmp_path, option):
        result = glyphlet("synth", tmp_path / "set", *option)
        assert result.code == 2
        assert option[0] in result.err


class TestPlaces:
    """Where nothing can be written."""

    def test_a_file_in_place_of_a_folder(self, glyphlet, digits, settings, tmp_path):
        (tmp_path / "file").touch()
        for place in (tmp_path / "file", tmp_path / "file" / "runs"):
            result = glyphlet("train", digits, "--runs", place, *settings)
            result.refused("cannot be made: Not a directory", "choose another with --runs")
        glyphlet("synth", tmp_path / "file").refused("cannot be written to")
        glyphlet("demo", "-o", tmp_path / "file").refused("cannot be written to")
        assert (tmp_path / "file").read_bytes() == b""

    def test_folders_that_do_not_exist_and_a_folder_in_place_of_a_file(self, glyphlet, job, digits, tmp_path):
        missing, folder = (tmp_path / "none" / "x", "does not exist"), (tmp_path, "is a folder")
        for place, problem, exported in ((*missing, "nothing can be written to"), (*folder, "is a folder")):
            glyphlet("export", job.folder, "-o", place).refused(exported)
            glyphlet("evaluate", job.model, digits, "-o", place).refused(problem)
            glyphlet("evaluate", job.model, digits, "--report", place).refused(problem)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_rights(self, glyphlet, digits, settings, tmp_path):
        tmp_path.chmod(0o500)
        glyphlet("train", digits, "--runs", tmp_path / "runs", *settings).refused("Permission denied")

    @pytest.fixture
    def small_disk(self, tmp_path):
        place = tmp_path / "disk"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a small file system can be made by root only")
        yield place
        subprocess.run(["umount", "-l", str(place)], check=True)

    def test_a_full_disk(self, glyphlet, job, digits, settings, small_disk):
        command = ("train", digits, "--runs", small_disk, *settings, "--set", "train.keep_every=1")
        glyphlet(*command, "--set", "train.epochs=20").refused("No space left on device", "glyphlet train --resume")
        (folder,) = runs_in(small_disk)
        assert not list(folder.rglob("*.part"))
        kept = sorted((folder / "checkpoints").glob("epoch-*.pt"))
        assert kept
        for path in kept:  # the user makes room, and nothing that was trained is lost
            path.unlink()
        result = glyphlet("train", "--resume", folder)
        if result.code:  # full again, by new checkpoints of every epoch
            result.refused("No space left on device")
        assert len((folder / "log.csv").read_text().splitlines()) > len(kept)

    def test_a_full_disk_while_rendering(self, glyphlet, small_disk):
        glyphlet("synth", small_disk / "set", "--count", 500).refused("the disk is full", "of 500 lines")
        assert not (small_disk / "set" / "labels.txt").exists()


def test_an_error_that_nobody_foresaw(glyphlet, monkeypatch, digits):
    def broken(*args, **options):
        raise ValueError("impossible")

    monkeypatch.setattr("glyphlet.runtime.reader.Reader.__init__", broken)
    result = glyphlet("read", "-m", "m.onnx", digits)
    assert result.code == 70
    assert result.err == (
        "glyphlet: internal error: ValueError: impossible. "
        "Next: run it again with GLYPHLET_TRACEBACK=1 and report what it prints.\n"
    )
    monkeypatch.setenv("GLYPHLET_TRACEBACK", "1")
    with pytest.raises(ValueError, match="impossible"):
        glyphlet("read", "-m", "m.onnx", digits)


def test_a_missing_part_of_the_installation(glyphlet, monkeypatch):
    def missing(*args):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("glyphlet.models.catalogue.parts", missing)
    glyphlet("models").refused("this needs torch. Next: pip install 'glyphlet[train]'")
