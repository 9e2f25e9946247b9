"""`glyphlet shrink`, from a run to a checkpoint that trains, exports and shrinks; and what is refused."""

import io
import json
import os
import re
import shlex
import shutil
import signal

import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

from glyphlet.cli import app
from glyphlet.compress import adapt
from glyphlet.compress.accuracy import Bench
from glyphlet.compress.adapt import norms_of
from glyphlet.compress.cost import Meter
from glyphlet.compress.record import read_record
from glyphlet.job import run
from glyphlet.models.summary import count_parameters, multiply_adds
from glyphlet.runtime.reader import Reader
from glyphlet.train.imported import save_imported
from glyphlet.train.restore import restore_run
from support import micro, runs_in, same, tiny_recipe


@pytest.fixture(scope="session")
def learned(digits, tmp_path_factory):
    """A run that reads most of the lines that it was trained on."""
    torch.manual_seed(0)
    recipe = tiny_recipe(
        digits, f"data.validation=['{digits}']", "train.epochs=30", "train.samples=0", "train.entropy=0",
        "model.backbone={name: micro, nh: 10, depth: 1}",
    )  # fmt: skip
    return run(recipe, tmp_path_factory.mktemp("learned"), Console(file=io.StringIO())).folder


@pytest.fixture(scope="session")
def curves(learned, tmp_path_factory):
    """Its sensitivity, measured through the command line."""
    path = tmp_path_factory.mktemp("curves") / "s.json"
    done = CliRunner().invoke(app, ["shrink", "sensitivity", str(learned), "-o", str(path)])
    assert done.exit_code == 0, done.output
    return path


STEM, BLOCK = "backbone.stem.0", "backbone.blocks.0.pointwise.0"


class TestPrune:
    def test_a_share_and_everything_that_follows(self, glyphlet, learned, digits, tmp_path):
        small = tmp_path / "my small.pt"
        done = glyphlet("shrink", "prune", learned, "-o", small, "--ratio", 0.5, "--criterion", "fpgm")
        assert (done.code, done.err) == (0, "")
        before, after = restore_run(learned), restore_run(small)
        assert after.model.backbone.channels == [5]
        report = json.loads(small.with_suffix(".json").read_text(encoding="utf-8"))
        assert report["channels"] == {STEM: {"full": 10, "smaller": 5}, BLOCK: {"full": 10, "smaller": 5}}
        assert report["costs"]["params"] == {
            "full": count_parameters(before.model), "smaller": count_parameters(after.model),
        }  # fmt: skip
        width = report["settings"]["width"]
        assert report["costs"]["macs"]["smaller"] == multiply_adds(after.model, width)
        assert report["costs"]["ms"]["full"] > 0
        task = after.validation_lines()
        read = Bench(after.recipe, task).read(after.model)  # with its statistics as they are in the file
        assert report["validation"]["smaller"] == {**read.as_dict(), "word_accuracy": read.word, "cer": read.cer}
        assert report["validation"]["full"]["word_accuracy"] == before.measured["validation_word_accuracy"] > 0.4
        page = small.with_suffix(".html").read_text(encoding="utf-8")
        assert "glyphlet train" in page
        assert not re.search(r"(src|href)=\"(?!#)", page)  # nothing from outside
        again, train = (re.search(rf"^{name} +(.*)$", done.out, re.M)[1] for name in ("again", "train"))
        assert shlex.split(again)[:3] == ["glyphlet", "shrink", "prune"]
        assert shlex.split(train)[2:] == [str(small.with_suffix(".yaml")), "--start", str(small)]
        assert report["commands"] == {"Again": again, "Train it further": train}

        options = ["--runs", tmp_path / "runs", "--set", "train.epochs=1"]
        assert glyphlet(*shlex.split(train)[1:], *options).code == 0
        (folder,) = runs_in(tmp_path / "runs")
        trained = restore_run(folder).model
        assert trained.spec == after.model.spec
        assert not torch.equal(trained.head.linear.weight, after.model.head.linear.weight)
        done = glyphlet("export", small, "-o", tmp_path / "m.onnx")
        assert done.code == 0, done.err
        assert Reader(tmp_path / "m.onnx").metadata.training["model"]["widths"] == after.model.spec.widths
        size = (tmp_path / "m.onnx").stat().st_size / 1024
        assert report["costs"]["kb"]["smaller"] == pytest.approx(size - 0.6, abs=0.3)  # without the calibration
        done = glyphlet("shrink", "prune", small, "-o", tmp_path / "smaller.pt", "--ratio", 0.4)
        assert done.code == 0, done.err
        assert restore_run(tmp_path / "smaller.pt").model.backbone.channels == [3]

    def test_the_command_gives_the_same_again(self, glyphlet, learned, tmp_path):
        options = ("--ratio", 0.3, "--criterion", "random", "--seed", 3, "--adapt-lines", 20, "--round-to", 2)
        done = glyphlet("shrink", "prune", learned, "-o", tmp_path / "a.pt", *options, "--skip", STEM)
        first = restore_run(tmp_path / "a.pt").model
        assert (first.backbone.stem[0].out_channels, first.backbone.channels) == (10, [8])
        again = shlex.split(re.search(r"^again +(.*)$", done.out, re.M)[1])
        assert glyphlet(*again[1:]).code == 0
        assert same(restore_run(tmp_path / "a.pt").model.state_dict(), first.state_dict())

    def test_without_adaptation_the_statistics_stay(self, glyphlet, learned, tmp_path):
        for name in ("--adapt", "--no-adapt"):
            assert glyphlet("shrink", "prune", learned, "-o", tmp_path / f"{name}.pt", "--ratio", 0.2, name).code == 0
        full, adapted, plain = (
            norms_of(restore_run(path).model)[0].running_mean
            for path in (learned, tmp_path / "--adapt.pt", tmp_path / "--no-adapt.pt")
        )
        assert set(plain.tolist()) < set(full.tolist())
        assert not set(adapted.tolist()) & set(full.tolist())

    @pytest.mark.parametrize(("sign", "said"), [(1, False), (-1, True)])
    def test_a_smaller_model_that_is_slower_is_told(self, glyphlet, learned, tmp_path, monkeypatch, sign, said):
        monkeypatch.setattr(Meter, "milliseconds", lambda self, data: 5000 + sign * len(data))
        done = glyphlet("shrink", "prune", learned, "-o", tmp_path / "p.pt", "--ratio", 0.5)
        assert ("note   the smaller model is slower here; --round-to 8 may help" in done.out) == said

    def test_a_checkpoint_without_lines(self, glyphlet, digits, tmp_path):
        save_imported(tmp_path / "i.pt", micro(nh=10), "imported", "a test")
        options = ("shrink", "prune", tmp_path / "i.pt", "-o", tmp_path / "s.pt", "--ratio", 0.5)
        glyphlet(*options).refused("names no lines to measure on", "--set 'data.train=[labels.txt]', or go on without")
        assert glyphlet(*options, "--no-adapt").code == 0
        assert json.loads((tmp_path / "s.json").read_text())["validation"] == {}
        done = glyphlet(*options, "--set", f"data.train=['{digits}']")
        assert done.code == 0, done.err
        assert json.loads((tmp_path / "s.json").read_text())["validation"]["full"]["lines"] == 8
        assert restore_run(tmp_path / "s.pt").recipe.data.train == [str(digits)]


class TestSensitivity:
    def test_table_json_and_plot(self, glyphlet, learned, curves):
        before = curves.read_bytes()
        done = glyphlet("shrink", "sensitivity", learned, "-o", curves)  # finished: only shown
        assert (done.code, done.err) == (0, "")
        assert curves.read_bytes() == before
        values = read_record(curves, "sensitivity")
        assert list(values["points"]) == [STEM, BLOCK]
        assert [point["ratio"] for point in values["points"][STEM]] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
        base, last = values["base"], values["points"][STEM][-1]["read"]
        loss = (base["correct"] - last["correct"]) / base["correct"]
        assert f"{100 * loss:.1f}" in next(line for line in done.out.splitlines() if STEM[:9] in line)
        page = curves.with_suffix(".html").read_text(encoding="utf-8")
        assert page.count("<svg") == 2
        assert f"{100 * loss:.1f}</td></tr>" in page

    def test_ctrl_c_keeps_what_is_measured(self, glyphlet, learned, curves, tmp_path, monkeypatch):
        read, count = Bench.read, []

        def interrupting(self, model, adapted=True):
            count.append(1)
            if len(count) == 5:
                os.kill(os.getpid(), signal.SIGINT)
            return read(self, model, adapted)

        path = tmp_path / "s.json"
        with monkeypatch.context() as patch:
            patch.setattr(Bench, "read", interrupting)
            done = glyphlet("shrink", "sensitivity", learned, "-o", path)
        done.refused("interrupted; 0 of 2 layers are measured and kept in", "go on with `glyphlet shrink", code=130)
        assert len(read_record(path, "sensitivity")["points"][STEM]) == 4
        glyphlet(
            "shrink", "prune", learned, "-o", tmp_path / "p.pt", "--sensitivity", path, "--max-params", 300
        ).refused("has 0 of 2 layers: its measurement was interrupted", "go on with `glyphlet shrink sensitivity")
        assert glyphlet("shrink", "sensitivity", learned, "-o", path).code == 0
        whole = tmp_path / "whole.json"
        assert glyphlet("shrink", "sensitivity", learned, "-o", whole).code == 0
        first, second = (read_record(p, "sensitivity") for p in (path, whole))
        assert {k: v for k, v in first.items() if k not in ("command", "sha256")} == {
            k: v for k, v in second.items() if k not in ("command", "sha256")
        }

    @pytest.mark.parametrize(("kind", "share"), [("macs", 0.6), ("params", 0.6), ("kb", 0.9)])
    def test_a_target_is_met(self, glyphlet, learned, curves, tmp_path, kind, share):
        full = restore_run(learned)
        meter = Meter(64, full.recipe.name, full.facts)
        most = share * meter.cost(full.model, kind)
        options = ("--sensitivity", curves, f"--max-{kind}", most, "--width", 60)
        done = glyphlet("shrink", "prune", learned, "-o", tmp_path / "p.pt", *options)
        assert (done.code, done.err) == (0, "")
        report = json.loads((tmp_path / "p.json").read_text())
        assert report["settings"]["width"] == 64
        smaller = report["costs"][kind]["smaller"]
        assert smaller == meter.cost(restore_run(tmp_path / "p.pt").model, kind)
        assert 0.75 * most < smaller <= most
        assert set(report["settings"]["ratios"]) == {STEM, BLOCK}
        assert 0 <= report["settings"]["threshold"] <= 1

    def test_a_time_is_met(self, glyphlet, learned, curves, tmp_path, monkeypatch):
        """With a clock that counts weights."""
        monkeypatch.setattr(Meter, "exported", lambda self, model: str(count_parameters(model)).encode())
        monkeypatch.setattr(Meter, "milliseconds", lambda self, data: int(data) / 100)
        limit = count_parameters(restore_run(learned).model) / 200
        options = (
            "--sensitivity",
            curves,
            "--max-ms",
            limit,
            "--by",
            "cer",
            "--only",
            "backbone.blocks",
            "--only",
            STEM,
        )
        assert glyphlet("shrink", "prune", learned, "-o", tmp_path / "p.pt", *options).code == 0
        assert json.loads((tmp_path / "p.json").read_text())["costs"]["ms"]["smaller"] <= limit


class TestEagleEye:
    def test_the_best_and_the_first(self, glyphlet, learned, tmp_path):
        half = multiply_adds(restore_run(learned).model, 64) * 0.7
        options = ("--max-macs", half, "--candidates", 6, "--width", 64, "--max-ratio", 0.6)
        done = glyphlet("shrink", "eagleeye", learned, "-o", tmp_path / "e.pt", *options)
        assert (done.code, done.err) == (0, "")
        report = json.loads((tmp_path / "e.json").read_text())
        kept = read_record(tmp_path / "e.candidates.json", "eagleeye")["candidates"]
        assert [c["number"] for c in report["candidates"]] == [c["number"] for c in kept]
        assert len(kept) == 6
        best = max(c["word_accuracy"] for c in report["candidates"])
        assert report["validation"]["smaller"]["word_accuracy"] == best
        made = restore_run(tmp_path / "e.pt")
        assert Bench(made.recipe, made.validation_lines()).read(made.model).word == best
        assert multiply_adds(made.model, 64) == report["costs"]["macs"]["smaller"] <= half
        assert "<svg" in (tmp_path / "e.html").read_text(encoding="utf-8")
        assert f"train  glyphlet train {tmp_path / 'e.yaml'} --start {tmp_path / 'e.pt'}\n" in done.out

        assert glyphlet("shrink", "eagleeye", learned, "-o", tmp_path / "f.pt", *options, "--first").code == 0
        first = json.loads((tmp_path / "f.json").read_text())
        assert first["settings"]["taken"] == kept[0]["number"]
        assert len(first["candidates"]) == 1
        assert first["title"].startswith("EagleEye, first that passes")

    def test_ctrl_c_keeps_candidates(self, glyphlet, learned, tmp_path, monkeypatch):
        options = ("-o", tmp_path / "e.pt", "--max-params", 900, "--candidates", 4, "--max-ratio", 0.6)
        read, count = Bench.read, []

        def interrupting(self, model, adapted=True):
            count.append(1)
            if len(count) == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            return read(self, model, adapted)

        with monkeypatch.context() as patch:
            patch.setattr(Bench, "read", interrupting)
            done = glyphlet("shrink", "eagleeye", learned, *options)
        done.refused("2 of 4 candidates are kept in", "go on with `glyphlet shrink eagleeye", code=143)
        assert not (tmp_path / "e.pt").exists()
        kept = read_record(tmp_path / "e.candidates.json", "eagleeye")["candidates"]
        assert glyphlet("shrink", "eagleeye", learned, *options).code == 0
        assert read_record(tmp_path / "e.candidates.json", "eagleeye")["candidates"][:2] == kept


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "fragments"),
        [
            ((), ["nothing says how much is to go", "--ratio, or --sensitivity with one of --max-kb"]),
            (("--ratio", 1), ["the ratio is 1.0", "0 to less than 1"]),
            (("--ratio", 0.5, "--max-kb", 3), ["--ratio is given together with a target"]),
            (("--max-kb", 3), ["a target is given without a sensitivity file", "glyphlet shrink sensitivity RUN"]),
            (("--max-kb", 3, "--max-ms", 1), ["2 targets are given: --max-kb, --max-ms"]),
            (("--max-kb", -1), ["the model may cost -1.0 kB", "a number above 0"]),
            (("--max-kb", 3, "--sensitivity", "none.json"), ["none.json does not exist"]),
            (("--ratio", 0.5, "--criterion", "l3"), ["there is no criterion 'l3'", "fpgm"]),
            (("--ratio", 0.5, "--scope", "all"), ["the scope is 'all'"]),
            (("--ratio", 0.5, "--round-to", 0), ["round_to is 0"]),
            (("--ratio", 0.5, "--only", "neck"), ["there is no layer 'neck'"]),
            (("--ratio", 0.5, "--adapt-lines", 1), ["is to measure on 1 of the training lines", "--no-adapt"]),
            (("--ratio", 0.5, "--adapt-lines", 0), ["is to measure on 0 of the training lines", "2 lines or more"]),
            (("--ratio", 0.5, "--set", "train.lr=1"), ["--set train.lr=1 changes more than the lines"]),
            (("--ratio", 0.5, "--set", "data.validation=[none.txt]"), ["none.txt"]),
        ],
    )
    def test_wrong_wishes(self, glyphlet, learned, tmp_path, options, fragments):
        glyphlet("shrink", "prune", learned, "-o", tmp_path / "p.pt", *options).refused(*fragments)
        assert list(tmp_path.iterdir()) == []

    def test_targets_that_cannot_be_met(self, glyphlet, learned, curves, tmp_path):
        options = ("shrink", "prune", learned, "-o", tmp_path / "p.pt", "--sensitivity", curves)
        glyphlet(*options, "--max-params", 10).refused(
            "10 parameters cannot be met", "the smallest that these curves give"
        )
        glyphlet(*options, "--max-params", 10**6).refused("1,000,000 parameters, and the full model has")
        glyphlet(*options, "--max-params", 300, "--criterion", "l2").refused(
            "measured by 'l1', and --criterion is 'l2'"
        )
        glyphlet(*options, "--max-params", 300, "--by", "ned").refused("'ned' is to decide")
        search = ("shrink", "eagleeye", learned, "-o", tmp_path / "p.pt")
        glyphlet(*search, "--max-params", 10).refused("cannot be met", "a share of 0.95 off every layer")
        glyphlet(*search).refused("there is no target", "--max-kb")
        glyphlet(*search, "--max-params", 300, "--min-ratio", 1).refused("to be drawn from 1.0 to 0.95")
        assert list(tmp_path.iterdir()) == []

    def test_curves_of_something_else(self, glyphlet, learned, job, curves, digits, tmp_path):
        options = ("-o", tmp_path / "p.pt", "--sensitivity", curves, "--max-params", 300)
        glyphlet("shrink", "prune", job.folder, *options).refused("s.json is of another model")
        fewer = tmp_path / "fewer.txt"
        fewer.write_text("\n".join(f"{digits.parent}/{row}" for row in digits.read_text().splitlines()[:9]) + "\n")
        lines = ("--set", f"data.validation=['{fewer}']")
        glyphlet("shrink", "prune", learned, *options, *lines).refused("of another set of validation lines")
        damaged = shutil.copy(curves, tmp_path / "damaged.json")
        damaged.write_text(damaged.read_text()[:-40])
        for verb in (
            ("prune", learned, "-o", tmp_path / "p.pt", "--sensitivity", damaged, "--max-params", 300),
            ("sensitivity", learned, "-o", damaged),
        ):
            glyphlet("shrink", *verb).refused("damaged.json is damaged", "delete it to measure anew")
        again = ("shrink", "sensitivity", job.folder, "-o", curves)
        glyphlet(*again).refused("s.json is of another model")
        glyphlet("shrink", "sensitivity", learned, "-o", curves, "--seed", 2).refused("another set of training lines")
        assert not (tmp_path / "p.pt").exists()

    def measuring(self, digits, folder):
        """The command for an imported model, which names no lines of its own."""
        lines = f"data.train=['{digits}']"
        return "shrink", "sensitivity", folder / "i.pt", "-o", folder / "s.json", "--set", lines

    def test_no_batch_normalisation(self, glyphlet, digits, tmp_path):
        model = micro(nh=10)
        save_imported(tmp_path / "i.pt", model, "imported", "a test")
        verb = self.measuring(digits, tmp_path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(adapt, "norms_of", lambda model: [])
            glyphlet(*verb).refused("has no batch normalisation to adapt", "go on without: --no-adapt")
            glyphlet(*verb, "--no-adapt", "--by", "x").refused("'x' is to decide")

    def test_a_model_that_reads_nothing(self, glyphlet, digits, tmp_path):
        torch.manual_seed(0)
        save_imported(tmp_path / "i.pt", micro(nh=10), "imported", "a test")
        verb = self.measuring(digits, tmp_path)
        glyphlet(*verb).refused("has word accuracy 0 on the 8 validation lines", "train it further first")
        assert not (tmp_path / "s.json").exists()

    def test_no_validation_lines(self, glyphlet, learned, tmp_path):
        (tmp_path / "empty.txt").write_text("")
        options = ("--set", f"data.validation=['{tmp_path / 'empty.txt'}']")
        glyphlet("shrink", "sensitivity", learned, "-o", tmp_path / "s.json", *options).refused("empty.txt")
        glyphlet("shrink", "sensitivity", tmp_path / "none", "-o", tmp_path / "s.json").refused(
            "there is no checkpoint"
        )

    def test_outputs(self, glyphlet, learned, tmp_path):
        (tmp_path / "note.html").write_text("mine")
        for output, problem in (
            (tmp_path / "p.onnx", "does not end in .pt"),
            (tmp_path / "none" / "p.pt", "there is no folder"),
            (learned / "checkpoints" / "best.pt", "a checkpoint of the run itself"),
            (tmp_path / "note.pt", "note.html, which would be written beside"),
            (learned / "recipe.pt", "recipe.yaml, which would be written beside"),
        ):
            glyphlet("shrink", "prune", learned, "-o", output, "--ratio", 0.5).refused(problem)
        glyphlet("shrink", "sensitivity", learned, "-o", tmp_path / "s.txt").refused("does not end in .json")
        source = learned / "checkpoints" / "last.pt"
        glyphlet("shrink", "prune", source, "-o", source, "--ratio", 0.5).refused("a checkpoint of the run itself")


class TestQuantize:
    def test_a_run(self, glyphlet, learned, digits, tmp_path):
        output = tmp_path / "my small.onnx"
        done = glyphlet("shrink", "quantize", learned, "-o", output, "--max-loss", 100, "--lines", 16)
        assert (done.code, done.err) == (0, "")
        reader = Reader(output)
        facts = reader.metadata.measured["int8"]
        assert facts["word_accuracy"][0] == restore_run(learned).measured["validation_word_accuracy"] > 0.4
        assert facts["calibration_lines"] == 16
        assert f"{facts['layers']} layers in int8" in done.out
        assert reader.metadata.name == restore_run(learned).recipe.name
        report = json.loads(output.with_suffix(".onnx.json").read_text(encoding="utf-8"))
        assert shlex.split(report["commands"]["Again"])[:3] == ["glyphlet", "shrink", "quantize"]
        assert report["changed"] == facts["changed"]
        assert "Before and after" in output.with_suffix(".onnx.html").read_text(encoding="utf-8")
        image = digits.parent / digits.read_text(encoding="utf-8").split("\t")[0]
        assert glyphlet("read", "-m", output, image).code == 0

    def test_a_model_file_needs_lines(self, glyphlet, learned, digits, tmp_path):
        model, output = learned / "model.onnx", tmp_path / "q.onnx"
        done = glyphlet("shrink", "quantize", model, "-o", output)
        done.refused("names no lines", "--set 'data.train=[labels.txt]'")
        lines = ["--set", f"data.train=['{digits}']", "--set", f"data.validation=['{digits}']"]
        done = glyphlet("shrink", "quantize", model, "-o", output, "--max-loss", 100, "--lines", 20, *lines)
        assert (done.code, done.err) == (0, "")
        assert Reader(output).metadata.measured["int8"]["calibration_lines"] == 20

    def test_what_is_refused(self, glyphlet, learned, tmp_path):
        to = ["-o", tmp_path / "q.onnx"]
        glyphlet("shrink", "quantize", learned, "-o", tmp_path / "q.pt").refused("does not end in .onnx")
        glyphlet("shrink", "quantize", learned, *to, "--lines", 1).refused("1 lines to calibrate on", "16 or more")
        glyphlet("shrink", "quantize", learned, *to, "--max-loss", -1).refused("-1 points")
        glyphlet("shrink", "quantize", learned, *to, "--recurrent", "dynamic").refused("no LSTM layer")
        glyphlet("shrink", "quantize", learned, *to, "--skip", "backbon").refused("'backbon' is no layer", "backbone")
        glyphlet("shrink", "quantize", tmp_path / "none.onnx", *to).refused("none.onnx does not exist")
        assert list(tmp_path.iterdir()) == []


class TestDistill:
    def test_a_pruned_checkpoint(self, glyphlet, learned, tmp_path):
        small = tmp_path / "small.pt"
        assert glyphlet("shrink", "prune", learned, "-o", small, "--ratio", 0.3).code == 0
        few = ["--set", "train.epochs=2", "--runs", tmp_path / "runs"]
        done = glyphlet("shrink", "distill", small, learned, *few)
        assert (done.code, done.err) == (0, "")
        (folder,) = runs_in(tmp_path / "runs")
        recipe = restore_run(folder).recipe
        assert (recipe.teacher.path, recipe.teacher.posteriors, recipe.teacher.sequence) == (str(learned), 1, 0)
        assert recipe.start.path == str(small)
        report = json.loads((folder / "distilled.json").read_text(encoding="utf-8"))
        assert report["read"][0]["word_accuracy"] == restore_run(learned).measured["validation_word_accuracy"]
        assert report["kb"][1] == (folder / "model.onnx").stat().st_size / 1024 < report["kb"][0]
        assert shlex.split(report["command"])[:3] == ["glyphlet", "shrink", "distill"]
        assert "Teacher and student" in (folder / "distilled.html").read_text(encoding="utf-8")

    def test_a_recipe_takes_the_lines_of_the_teacher(self, glyphlet, learned, tmp_path):
        before = restore_run(learned)
        values = {**before.recipe.dump(), "name": "fresh", "data": {}}
        values["charset"] = before.model.codec.charset.to_dict()
        (tmp_path / "fresh.yaml").write_text(json.dumps(values), encoding="utf-8")
        few = ["--set", "train.epochs=1", "--runs", tmp_path / "runs"]
        done = glyphlet("shrink", "distill", tmp_path / "fresh.yaml", learned, *few)
        assert (done.code, done.err) == (0, "")
        recipe = restore_run(runs_in(tmp_path / "runs")[0]).recipe
        assert recipe.data.train == before.recipe.data.train
        assert (recipe.teacher.posteriors, recipe.teacher.sequence) == (0, 1)

    def test_what_is_refused(self, glyphlet, learned, tmp_path):
        to = ["--runs", tmp_path]
        glyphlet("shrink", "distill", tmp_path / "none.pt", learned, *to).refused("no checkpoint", "none.pt")
        glyphlet("shrink", "distill", "micro-nh1", learned, *to).refused("micro-nh1")
        (tmp_path / "none.yaml").write_text("name: none\n", encoding="utf-8")
        glyphlet("shrink", "distill", tmp_path / "none.yaml", "print", *to).refused("neither", "print names lines")
        zero = ["--posteriors", 0, *to]
        glyphlet("shrink", "distill", learned / "checkpoints" / "best.pt", learned, *zero).refused("are all 0")
