"""A whole search on few lines: what it writes, that it goes on as if it had not been stopped, and what it refuses."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from glyphlet.compress.cost import Meter
from glyphlet.compress.int8.quantize import Quantizing, quantize
from glyphlet.compress.record import read_record
from glyphlet.compress.search.clock import Clock
from glyphlet.compress.search.entrants import Entrant
from glyphlet.compress.search.finish import Found
from glyphlet.compress.search.fit import Fit, Watching
from glyphlet.compress.search.limits import ROOM, Limits
from glyphlet.compress.search.race import Race
from glyphlet.compress.search.state import Wish
from glyphlet.errors import CompressionError, Interrupted
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.runtime.reader import Reader
from glyphlet.spec import load_recipe
from glyphlet.train.loop import Training
from glyphlet.train.restore import restore_run
from support import same

pytestmark = pytest.mark.usefixtures("few")
WISH = Wish(Limits(kb=22.0), hours=0.05)


@pytest.fixture(scope="module", autouse=True)
def still():
    """A clock that stands, a network as slow as its file is large, and trainings of equal speed: all is the same each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clock, "spent", lambda self: self.before)
        patch.setattr(Meter, "milliseconds", lambda self, data: len(data) / 100_000)
        patch.setattr(Race, "seconds_an_update", lambda self, entrant: 0.01)
        yield


@dataclass(frozen=True)
class Whole:
    """A search that was not stopped."""

    search: Fit
    found: Found
    folder: Path
    said: list


@pytest.fixture(scope="module")
def whole(task, still, few, tmp_path_factory):
    folder, said = tmp_path_factory.mktemp("whole"), []
    search = Fit(task, WISH, folder, Watching("glyphlet fit here", said.append))
    return Whole(search, search.search(), folder, said)


def entrants(folder):
    return {e.name: e for e in map(Entrant.of, read_record(folder / "fit.json", "fit")["entrants"])}


class TestSearch:
    def test_what_it_writes_and_what_that_says(self, task, whole):
        search, found, said, tmp_path = whole.search, whole.found, whole.said, whole.folder
        made = entrants(tmp_path)
        # the widest that meet 22 kB, one of two widths less, and wider ones that are cut
        assert list(made) == ["micro-1-16", "micro-1-32-cut", "glyph-1-8", "glyph-1-16-cut", "micro-1-4"]
        assert [len(rung["names"]) for rung in search.state.rungs] == [5, 2]
        assert [rung["end"] for rung in search.state.rungs] == [12, 36]  # 12 epochs of 3 updates, as in the recipe
        assert [len(sentence) > 20 for sentence in said] == [True, True]
        last = search.state.rungs[-1]["names"]
        assert [e.name for e in made.values() if e.last.final] == [name for name in made if name in last]
        assert sum(name.endswith("-cut") for name in last) == 1  # one of those to be cut goes on
        assert found.done
        assert found.met
        best = made[found.name]
        assert (found.weights, best.failed) == (best.weights, "")
        size = found.model.stat().st_size / 1024
        assert found.kb == size <= 22.0
        assert size <= best.kb <= size + ROOM + 0.2
        scores = evaluate_lines(Reader(found.model), [line.sample for line in task.validation]).scores
        assert (found.read.correct, found.read.edits) == (scores.correct_lines, scores.edits)
        assert best.served == found.read
        assert found.read.rank("word") == max(e.read.rank("word") for e in made.values() if e.last and e.weights)
        restored = restore_run(tmp_path / "best.pt")
        assert restored.model.spec == best.spec
        recipe = load_recipe(found.recipe)
        assert (recipe.weights, recipe.model, recipe.train.lr) == (best.weights, best.spec, best.rate)
        assert recipe.start.path == str((tmp_path / "best.pt").resolve())
        assert (recipe.train.epochs, recipe.train.schedule, recipe.train.patience) == (12, "cosine", 0)
        assert recipe.charset.text == "0123456789"
        assert (tmp_path / "best.yaml").read_text().startswith("# glyphlet fit here\n")

    def test_a_time_that_float_does_not_meet_is_met_in_int8(self, task, tmp_path, monkeypatch):
        """With a clock for which a file in int8 takes a tenth."""
        monkeypatch.setattr(Meter, "milliseconds", lambda self, data: 0.1 if b"/quantized" in data else 1.0)
        monkeypatch.setattr("glyphlet.compress.search.finish.quantize", partial(quantize, how=Quantizing(1.0)))
        found = Fit(task, Wish(Limits(ms=0.5), hours=0.05), tmp_path, Watching("here")).search()
        assert (found.weights, found.ms) == ("quantized", 0.1)
        assert {e.weights for e in entrants(tmp_path).values()} == {"quantized"}
        facts = Reader(found.model).metadata.measured["int8"]
        assert facts["layers"] > 1
        assert facts["word_accuracy"][1] == found.read.word
        assert load_recipe(found.recipe).weights == "quantized"

    def test_it_goes_on_as_if_it_had_not_been_stopped(self, task, whole, tmp_path, monkeypatch):
        """Stopped in the first update, in the middle of an epoch, and in the last rung."""
        caught, made, update = [], [], Training.update

        def interrupting(self, batches):
            made.append(1)
            if len(made) in (1, 30, 90):
                caught.append(2)
            return update(self, batches)

        monkeypatch.setattr(Training, "update", interrupting)
        for _ in range(3):
            caught.clear()
            with pytest.raises(Interrupted, match=r"what has come out is kept in .*go on with `the command`") as error:
                Fit(task, WISH, tmp_path, Watching("the command", caught=caught)).search()
            assert error.value.exit_code == 130
        caught.clear()
        found = Fit(task, WISH, tmp_path, Watching("the command", caught=caught)).search()
        assert entrants(tmp_path) == entrants(whole.folder)
        assert same(*(restore_run(folder / "best.pt").model.state_dict() for folder in (whole.folder, tmp_path)))
        # Nothing is trained twice, and the same command again trains nothing.
        assert len(made) == sum(e.last.updates for e in entrants(tmp_path).values())
        assert Fit(task, WISH, tmp_path).search() == found
        assert len(made) == sum(e.last.updates for e in entrants(tmp_path).values())

    def test_with_a_wanted_accuracy_the_smaller_ones_come_to_their_end(self, task, tmp_path, monkeypatch):
        """Whatever reads at all is good enough here, so in the end the smallest of all is chosen."""
        monkeypatch.setattr("glyphlet.compress.accuracy.Accuracy.word", property(lambda self: 0.5))
        found = Fit(task, Wish(Limits(kb=22.0), 0.5, 0.05), tmp_path).search()
        made = entrants(tmp_path)
        assert (found.name, found.met) == ("micro-1-4", True)
        assert made["micro-1-4"].kb == min(e.kb for e in made.values())
        assert made["micro-1-4"].last.final

    def test_a_training_that_goes_wrong_is_out_and_the_others_go_on(self, task, tmp_path, monkeypatch):
        training = Race.training

        def broken(self, entrant, model=None):
            made = training(self, entrant, model)
            if entrant.name == "micro-1-16":
                made.update = lambda batches: made._refuse(float("nan"), batches[0])
            return made

        monkeypatch.setattr(Race, "training", broken)
        found = Fit(task, WISH, tmp_path).search()
        assert found.name != "micro-1-16"
        assert entrants(tmp_path)["micro-1-16"].failed.startswith("the loss is nan at update 0")

    def test_a_full_disk_is_no_fault_of_a_candidate(self, task, tmp_path, monkeypatch):
        def full(path, data):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("glyphlet.train.checkpoint.replace_file", full)
        with pytest.raises(
            CompressionError, match=r"last.pt cannot be written: No space left .* the same command again"
        ):
            Fit(task, WISH, tmp_path).search()
        assert [e.failed for e in entrants(tmp_path).values()] == [""] * 5

    def test_a_file_that_costs_more_than_was_measured_is_not_chosen(self, task, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.compress.search.limits.ROOM", -5.0)  # so that the files turn out larger
        with pytest.raises(CompressionError, match=r"no candidate is left of \d+; .*its model file has [\d.]+ kB"):
            Fit(task, Wish(Limits(kb=9.0), hours=0.05, families=("micro",)), tmp_path).search()


class TestTime:
    def test_the_best_so_far_when_it_is_over_and_more_of_it_goes_on(self, task, tmp_path, monkeypatch):
        seconds = iter(range(0, 10**6, 2))
        with monkeypatch.context() as patch:
            patch.setattr(Clock, "spent", lambda self: self.before + next(seconds))
            found = Fit(task, Wish(Limits(kb=22.0), hours=240 / 3600), tmp_path).search()
        assert not found.done
        before = {name: e.last.updates if e.last else 0 for name, e in entrants(tmp_path).items()}
        assert max(before.values()) > 0
        assert not all(e.last and e.last.final for e in entrants(tmp_path).values())
        assert Fit(task, Wish(Limits(kb=22.0), hours=2.0), tmp_path).search().done
        after = {name: e.last.updates if e.last else 0 for name, e in entrants(tmp_path).items()}
        assert all(after[name] >= before[name] for name in before)
        assert sum(after.values()) > sum(before.values())

    def test_too_little_for_anything(self, task, tmp_path):
        with pytest.raises(CompressionError, match=r"3.6 s were over before any candidate.*--hours 0.1"):
            Fit(task, Wish(Limits(kb=22.0), hours=0.001), tmp_path, before=10.0).search()


class TestRefused:
    @pytest.mark.parametrize(
        ("wish", "problem"),
        [
            (Wish(Limits(kb=23.0), hours=0.05), "is of --max-kb 22.0, and now it is 23.0"),
            (Wish(Limits(22.0, 9.0), hours=0.05), "is of --max-ms None, and now it is 9.0"),
            (Wish(Limits(22.0), 0.9, 0.05), "is of --min-accuracy None, and now it is 0.9"),
            (Wish(Limits(22.0), None, 0.05, ("micro",)), "is of --family"),
        ],
    )
    def test_a_folder_of_another_wish(self, task, whole, wish, problem):
        with pytest.raises(CompressionError, match=problem):
            Fit(task, wish, whole.folder)

    def test_a_folder_of_other_lines_or_settings(self, lines_of, whole):
        for setting, problem in (
            ("data.train.count=50", "another set of training lines"),
            ("train.batch=8", "is of train.batch 16, and now it is 8"),
            ("data.train.seed=3", "another set of training lines"),
            ("augment=[{name: shift}]", "is of augment"),
        ):
            with pytest.raises(CompressionError, match=problem):
                Fit(lines_of(setting), WISH, whole.folder)
        Fit(lines_of("train.threads=2", "train.lr=0.5", "name=other"), WISH, whole.folder)  # which decide nothing

    def test_a_damaged_file(self, task, whole, tmp_path):
        whole = (whole.folder / "fit.json").read_bytes()
        for number, (data, problem) in enumerate(
            (
                (whole[:500], "is damaged, or no such file"),
                (whole.replace(b'"rate": 0.01', b'"rate": 0.02'), "was changed"),
            )
        ):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "fit.json").write_bytes(data)
            with pytest.raises(CompressionError, match=f"{problem}.*a file that `glyphlet fit` wrote.*delete it"):
                Fit(task, WISH, folder)

    def test_a_folder_that_cannot_be_made(self, task, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(CompressionError, match=r"file/fit cannot be written to: Not a directory.*-o FOLDER"):
            Fit(task, WISH, tmp_path / "file" / "fit")

    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            ({}, "there is no target"),
            ({"least": 0.0}, "--min-accuracy is 0.0"),
            ({"least": 99.0}, "--min-accuracy is 99.0.*.99 asks for 99 of 100"),
            ({"least": 0.5, "hours": 0.0}, "--hours is 0.0"),
        ],
    )
    def test_wishes_that_are_none(self, values, problem):
        with pytest.raises(CompressionError, match=problem):
            Wish(Limits(), **values)
