"""From a recipe to a folder with everything that is promised."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from glyphlet import job as jobs
from glyphlet.charset import Charset
from glyphlet.errors import CheckpointError, CompressionError, GlyphletError, ImageError, LabelError, TrainingError
from glyphlet.job import new_run_folder, resume_recipe, run
from glyphlet.metrics import score
from glyphlet.runtime.reader import Reader
from glyphlet.spec import SynthSpec, load_recipe
from glyphlet.synth.dataset import write_set
from glyphlet.train.log import read_log
from support import SHARED, runs_in, tiny_recipe


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Label files of 40 training and 20 test lines."""
    root = tmp_path_factory.mktemp("sets")
    for stream, count in (("train", 40), ("test", 20)):
        spec = SynthSpec(count=count, min_length=2, max_length=3)
        write_set(spec, Charset.named("digits"), root / stream, stream)
    return root


def recipe(sets, *settings, test=True):
    data = {"test": [str(sets / "test" / "labels.txt")]} if test else {}
    return tiny_recipe(sets / "train" / "labels.txt", *settings, **data)


def quiet():
    return Console(file=io.StringIO(), width=200)


@pytest.fixture(scope="module")
def done(sets, tmp_path_factory):
    console = quiet()
    return run(recipe(sets, "train.keep_every=1"), tmp_path_factory.mktemp("runs"), console), console.file.getvalue()


class TestQuantized:
    def test_the_model_file_is_computed_in_int8(self, sets, tmp_path):
        """Of a network that reads nothing yet nothing is lost."""
        console = quiet()
        made = run(recipe(sets, "weights=quantized"), tmp_path, console)
        facts = Reader(made.model).metadata.measured["int8"]
        assert facts["layers"] > 1
        assert "quantised " in console.file.getvalue()
        assert made.test.scores.word_accuracy == Reader(made.model).metadata.measured["int8"]["word_accuracy"][1] == 0

    def test_it_stays_in_float_where_that_would_cost_too_much(self, sets, tmp_path, monkeypatch):
        def refused(*args):
            raise CompressionError("int8 loses 9 points", allowed="9", next_step="allow more")

        monkeypatch.setattr("glyphlet.compress.int8.quantize.quantize", refused)
        console = quiet()
        made = run(recipe(sets, "weights=quantized"), tmp_path, console)
        assert "not quantised: int8 loses 9 points" in console.file.getvalue()
        assert "int8" not in Reader(made.model).metadata.measured
        assert made.report.is_file()


class TestRun:
    def test_the_folder_holds_what_is_promised(self, done):
        job, _ = done
        assert job.folder.name.endswith("_tiny")
        names = {
            str(path.relative_to(job.folder))
            for path in job.folder.rglob("*")
            if path.is_file() and path.name != ".lock"
        }
        events = {name for name in names if name.startswith("tensorboard/events")}
        assert len(events) == 1
        assert names - events == {
            "recipe.yaml", "log.csv", "model.onnx", "test.txt", "test.json", "report.html",
            "checkpoints/last.pt", "checkpoints/best.pt", "checkpoints/epoch-0001.pt", "checkpoints/epoch-0002.pt",
        }  # fmt: skip
        assert (job.model, job.report) == (job.folder / "model.onnx", job.folder / "report.html")
        assert [row["epoch"] for row in read_log(job.folder / "log.csv")] == [1, 2]

    def test_the_recipe_is_the_whole_of_it(self, sets, done):
        made = load_recipe(done[0].folder / "recipe.yaml")
        assert made == recipe(sets, "train.keep_every=1")

    def test_the_figures_are_those_of_the_test_lines(self, sets, done):
        job, _ = done
        rows = [line.split("\t") for line in (job.folder / "test.txt").read_text(encoding="utf-8").splitlines()]
        labels = (sets / "test" / "labels.txt").read_text(encoding="utf-8").splitlines()
        truths = [line.split("\t")[1] for line in labels]
        assert [name for name, _ in rows] == [str(sets / "test" / line.split("\t")[0]) for line in labels]
        scores = score([text for _, text in rows], truths)
        figures = json.loads((job.folder / "test.json").read_text(encoding="utf-8"))
        assert (figures["lines"], figures["edits"]) == (20, scores.edits)
        assert job.test.scores == scores
        assert [text for _, text in rows] == [r.text for r in Reader(job.model).read([name for name, _ in rows])]

    def test_the_model_file_says_how_it_was_made(self, done):
        job, _ = done
        metadata = Reader(job.model).metadata
        assert metadata.name == "tiny"
        assert metadata.charset.text == "0123456789"
        assert metadata.training["train_lines"] == 32
        assert metadata.training["epochs"] == job.outcome.best_epoch  # of these weights, not of the run
        assert metadata.training["model"]["backbone"] == {"name": "micro", "nh": 4, "depth": 1}
        assert metadata.measured == {"validation_lines": 8, "validation_word_accuracy": job.outcome.best_accuracy}
        assert metadata.parity["texts_differing"] == 0

    def test_the_report_shows_the_figures(self, done):
        job, _ = done
        page = job.report.read_text(encoding="utf-8")
        scores = job.test.scores
        for text in (
            "Glyphlet: tiny", f"{100 * scores.word_accuracy:.2f} %", f"{100 * scores.cer:.2f} %", "all epochs done",
            f"{job.model.stat().st_size / 1024:.1f} kB", "Worst errors on the test lines", "Training", "Loss",
            "epochs: 2", "data:image/png;base64,",
        ):  # fmt: skip
            assert text in page, text
        assert page.count("<li") >= len(job.test.worst(24))

    def test_the_console_tells_the_way(self, done):
        job, text = done
        assert "32 training and 8 validation lines, 10 characters: 0123456789" in text
        assert f"run folder: {job.folder}\n" in text
        assert "all epochs done after 2 epochs" in text
        assert f"exported {job.model} (" in text

    def test_a_long_path_is_not_broken_into_lines(self, sets, tmp_path):
        console = Console(file=io.StringIO(), width=40)
        job = run(recipe(sets, "train.epochs=1", test=False), tmp_path / ("long" * 20), console)
        assert f"run folder: {job.folder}\n" in console.file.getvalue()


class TestTheTestLines:
    def test_each_is_read_once_and_after_the_training(self, sets, tmp_path, monkeypatch):
        order, read, evaluating = [], [], []

        def fit(*args, real=jobs.fit):
            outcome = real(*args)
            order.append("trained")
            return outcome

        def evaluate(reader, samples, real=jobs.evaluate_lines, **options):
            order.append([str(s.source) for s in samples])
            evaluating.append(True)
            return real(reader, samples, **options)

        def reading(self, sources, batch=32, real=Reader.read):
            read.extend(sources if evaluating else [])
            return real(self, sources, batch)

        monkeypatch.setattr(jobs, "fit", fit)
        monkeypatch.setattr(jobs, "evaluate_lines", evaluate)
        monkeypatch.setattr(Reader, "read", reading)
        run(recipe(sets, "train.epochs=1"), tmp_path, quiet())
        paths = [str(sets / "test" / "images" / f"{i:06d}.png") for i in range(20)]
        assert order == ["trained", paths]
        assert len(read) == len(paths)

    def test_without_any_the_report_is_of_the_validation_lines(self, sets, tmp_path):
        job = run(recipe(sets, "train.epochs=1", test=False), tmp_path, quiet())
        assert job.test is None
        assert not (job.folder / "test.txt").exists()
        assert "on the validation lines" in job.report.read_text(encoding="utf-8")

    def test_rendered_ones(self, sets, tmp_path):
        settings = ("train.epochs=1", "data.test={count: 5, min_length: 2, max_length: 2}")
        job = run(recipe(sets, *settings, test=False), tmp_path, quiet())
        assert [r.path for r in job.test.results] == [f"rendered test line {i}" for i in range(1, 6)]

    @pytest.mark.parametrize("fault", ["labels", "image"])
    def test_a_wrong_path_is_found_before_the_training(self, sets, tmp_path, fault):
        labels = tmp_path / "test.txt"
        if fault == "image":
            labels.write_text("missing.png\t12\n", encoding="utf-8")
        made = recipe(sets, f"data.test=['{labels}']", test=False)
        with pytest.raises((LabelError, ImageError), match=r"test\.txt|missing\.png"):
            run(made, tmp_path / "runs", quiet())
        assert not (tmp_path / "runs").exists()


class TestResume:
    def test_a_finished_run_is_finished_again_without_training(self, sets, tmp_path):
        first = run(recipe(sets), tmp_path, quiet())
        log, model = (first.folder / "log.csv").read_bytes(), first.model.read_bytes()
        for path in (first.model, first.report, first.folder / "test.txt"):
            path.unlink()
        again = run(resume_recipe(first.folder), tmp_path, quiet(), folder=first.folder)
        assert again.folder == first.folder
        assert (first.folder / "log.csv").read_bytes() == log
        assert first.model.read_bytes() == model
        assert first.report.exists()
        assert again.test.results == first.test.results
        assert len(list(runs_in(tmp_path))) == 1

    def test_what_failed_after_the_training_is_made_good(self, sets, tmp_path, monkeypatch):
        def full(*args):
            raise GlyphletError("no room")

        with monkeypatch.context() as patch:
            patch.setattr(jobs, "write_report", full)
            with pytest.raises(GlyphletError, match="no room"):
                run(recipe(sets), tmp_path, quiet())
        (folder,) = runs_in(tmp_path)
        assert (folder / "model.onnx").exists()
        job = run(resume_recipe(folder), tmp_path, quiet(), folder=folder)
        assert job.report.exists()
        assert job.outcome.epochs == 2

    def test_a_folder_from_anywhere(self, sets, tmp_path, monkeypatch):
        """Paths in the run's recipe are absolute."""
        monkeypatch.chdir(sets / "train")
        made = tiny_recipe("labels.txt", "train.epochs=1")
        job = run(made, tmp_path, quiet())
        monkeypatch.chdir(tmp_path)
        assert run(resume_recipe(job.folder), tmp_path, quiet(), folder=job.folder).outcome.epochs == 1

    def test_a_changed_model_is_refused(self, sets, tmp_path):
        job = run(recipe(sets, "train.epochs=1"), tmp_path, quiet())
        made = load_recipe(job.folder / "recipe.yaml", ["model.backbone.nh=8"])
        with pytest.raises(CheckpointError, match=r"model\.backbone\.nh of this run has changed from 4 to 8"):
            run(made, tmp_path, quiet(), folder=job.folder)

    def test_what_is_no_run(self, tmp_path):
        for path in (tmp_path, tmp_path / "none", tmp_path / "file"):
            (tmp_path / "file").touch()
            with pytest.raises(CheckpointError, match=r"is not a run folder: it has no recipe\.yaml"):
                resume_recipe(path)


class TestRunFolders:
    def test_two_of_one_second_get_two_folders(self, tmp_path):
        made = {new_run_folder(tmp_path, "a") for _ in range(3)}
        assert len(made) == 3
        assert all(path.is_dir() for path in made)

    def test_a_file_in_its_place(self, tmp_path):
        (tmp_path / "runs").touch()
        with pytest.raises(TrainingError, match=r"cannot be made: Not a directory.*--runs"):
            new_run_folder(tmp_path / "runs", "a")

    def test_bad_lines_leave_no_folder(self, sets, tmp_path):
        made = recipe(sets, "charset.text='01'")
        with pytest.raises(GlyphletError, match="outside the charset"):
            run(made, tmp_path / "runs", quiet())
        assert not (tmp_path / "runs").exists()

    def test_an_option_that_torch_refuses(self, sets, tmp_path):
        with pytest.raises(GlyphletError, match="the model cannot be built: dropout probability"):
            run(recipe(sets, "model.head={name: ctc, dropout: 2}"), tmp_path, quiet())


@pytest.mark.skipif(not (SHARED / "lectaurep_numbers").is_dir(), reason="the real lines lie beside a checkout only")
def test_real_handwritten_numbers(tmp_path):
    """An epoch on 200 lines: nothing is learnt yet but that the loss falls; every file is written."""
    folder = SHARED / "lectaurep_numbers"
    for name, count in (("train", 200), ("test", 30)):
        rows = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()[:count]
        (tmp_path / f"{name}.txt").write_text("".join(f"{folder}/{row}\n" for row in rows), encoding="utf-8")
    settings = ["train.epochs=1", "train.threads=1", "train.accelerator=cpu", "model.backbone.nh=8"]
    settings += [f"data.{name}=['{tmp_path}/{name}.txt']" for name in ("train", "test")]
    job = run(load_recipe("lectaurep-numbers", settings), tmp_path / "runs", quiet())
    (row,) = read_log(job.folder / "log.csv")
    assert job.outcome.steps == row["step"] > 0
    assert np.isfinite(row["validation_loss"])
    assert job.test.scores.lines == 30
    assert Reader(job.model).metadata.charset == Charset.named("number")
    assert (job.folder / "report.html").stat().st_size > 20_000
