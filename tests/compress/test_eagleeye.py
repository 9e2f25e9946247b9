"""EagleEye: candidates begin with clean statistics, the best of N is taken, or the first; kept and gone on with."""

import copy
import json

import pytest
import torch

from glyphlet.compress import eagleeye
from glyphlet.compress.accuracy import Accuracy, Bench
from glyphlet.compress.adapt import norms_of
from glyphlet.compress.cost import Budget, Meter
from glyphlet.compress.eagleeye import Candidate, Drawing, EagleEye, best_of, drawn
from glyphlet.compress.prune import Pruning, prune
from glyphlet.compress.record import Watch, read_record
from glyphlet.errors import CompressionError, Interrupted
from support import same

STEM, BLOCK = "backbone.stem.0", "backbone.blocks.0.pointwise.0"


@pytest.fixture(scope="module")
def share(taught):
    """A share of the full model's multiply-adds, as a budget."""
    full = Meter(64).cost(taught.model, "macs")
    return lambda part: Budget("macs", part * full)


@pytest.fixture
def eye(taught, bench, graph, share):
    """Makes a search."""
    return lambda budget=0.6, **how: EagleEye(
        taught.model, bench, Drawing(**{"candidates": 4, **how}), Meter(64), share(budget), graph
    )


class TestDrawing:
    def test_a_try_is_a_function_of_the_seed_and_its_number(self):
        names, how = [STEM, BLOCK], Drawing(low=0.2, high=0.7)
        made = [drawn(names, how, number) for number in range(200)]
        assert made[7] == drawn(names, how, 7) != drawn(names, Drawing(low=0.2, high=0.7, seed=1), 7)
        values = torch.tensor([list(ratios.values()) for ratios in made])
        assert 0.2 <= values.min() < 0.21 < 0.69 < values.max() < 0.7
        assert values.mean().item() == pytest.approx(0.45, abs=0.02)
        assert abs(torch.corrcoef(values.T)[0, 1].item()) < 0.2

    @pytest.mark.parametrize(
        "values", [{"low": 0.5, "high": 0.5}, {"high": 1.0}, {"low": -0.1}, {"high": float("nan")}]
    )
    def test_ranges_that_are_none(self, values):
        with pytest.raises(CompressionError, match="ratios are to be drawn from"):
            Drawing(**values)

    def test_no_candidates(self):
        with pytest.raises(CompressionError, match="0 candidates are wanted"):
            Drawing(candidates=0)


class TestCleanStatistics:
    def test_equal_candidates_read_equally_whatever_came_between(self, eye):
        search = eye(budget=0.9)
        numbers = [n for n in range(30) if search.candidate(n) is not None][:3]
        first = [search.candidate(n) for n in numbers]
        assert [search.candidate(n) for n in reversed(numbers)] == first[::-1]

    def test_each_begins_with_those_of_the_full_model(self, eye, taught):
        """Also where nothing is adapted, so that a statistic that was left behind would show."""
        search = eye()
        before = {k: v.clone() for k, v in taught.model.state_dict().items()}
        search.candidate(0), search.candidate(1)
        assert same(taught.model.state_dict(), before)
        made = search.pruned({STEM: 0.3, BLOCK: 0.0})
        kept = [i for i in range(10) if i not in made.removed[STEM][0].tolist()]
        full, own = norms_of(taught.model)[0], norms_of(made.model)[0]
        assert torch.equal(own.running_mean, full.running_mean[kept])
        assert torch.equal(own.running_var, full.running_var[kept])

    def test_it_is_adapted_and_read(self, eye, bench, taught, graph):
        number = next(n for n in range(50) if eye().candidate(n))
        found = eye().candidate(number)
        smaller = prune(taught.model, Pruning(ratios=drawn([STEM, BLOCK], Drawing(), number)), graph).model
        assert found.cost == Meter(64).cost(smaller, "macs")
        plain = copy.deepcopy(smaller)
        assert found == Candidate(number, found.cost, bench.read(smaller))
        assert not torch.equal(norms_of(plain)[0].running_mean, norms_of(smaller)[0].running_mean)


class TestSearch:
    def test_the_best_of_those_that_meet_the_budget(self, eye, taught, bench, tmp_path, share):
        search = eye()
        found = search.search(tmp_path / "e.json")
        by_hand = []
        for number in range(found.tries):
            smaller = search.pruned(drawn([STEM, BLOCK], search.how, number)).model
            if Meter(64).cost(smaller, "macs") <= share(0.6).most:
                by_hand.append(Candidate(number, Meter(64).cost(smaller, "macs"), bench.read(smaller)))
        assert list(found.candidates) == by_hand
        assert len(by_hand) == 4
        assert found.best.read.word == max(c.read.word for c in by_hand)
        assert bench.read(copy.deepcopy(found.pruned.model)) == found.best.read
        plain = Bench(taught.recipe, taught.validation)
        assert plain.read(found.pruned.model) == found.best.read  # its statistics are adapted, and go with it

    def test_ties_go_to_the_other_figure_and_then_to_the_first(self):
        made = [
            Candidate(3, 1, Accuracy(10, 5, 20, 9)),
            Candidate(5, 1, Accuracy(10, 5, 20, 8)),
            Candidate(7, 1, Accuracy(10, 4, 20, 6)),
            Candidate(9, 1, Accuracy(10, 5, 20, 8)),
        ]
        assert best_of(made).number == 5
        assert best_of(made[::-1]).number == 5
        assert best_of(made, "cer").number == 7

    def test_the_first_that_passes_ends_it(self, eye, tmp_path):
        search, read = eye(first=True), []
        candidate = search.candidate
        search.candidate = lambda number: read.append(number) or candidate(number)
        found = search.search(tmp_path / "e.json")
        assert found.tries == len(read) == found.best.number + 1
        assert [c.number for c in found.candidates] == [found.best.number]
        assert all(eye().candidate(number) is None for number in read[:-1])
        assert found.best == eye().search(tmp_path / "all.json").candidates[0]

    def test_the_first_is_taken_from_a_file_of_more(self, eye, tmp_path):
        more = eye().search(tmp_path / "e.json")
        assert eye(first=True).search(tmp_path / "e.json").best == more.candidates[0]
        assert eye(candidates=2).search(tmp_path / "e.json").candidates == more.candidates[:2]

    def test_only_layers_that_take_part(self, eye, tmp_path):
        found = eye(skip=[STEM], budget=0.9).search(tmp_path / "e.json")
        assert found.pruned.sizes[STEM] == (10, 10)


class TestResuming:
    @pytest.mark.parametrize("after", [0, 2, 3])
    def test_the_file_is_the_same_to_the_bit(self, eye, tmp_path, after):
        whole = eye().search(tmp_path / "whole.json", Watch("the command"))
        caught = []

        def interrupt(done, total):
            assert total == 4
            if done == after:
                caught.append(15)

        path = tmp_path / "parts.json"
        with pytest.raises(Interrupted, match=r"of 4 candidates are kept in .*go on with `the command`") as e:
            eye().search(path, Watch("the command", interrupt, caught))
        assert e.value.exit_code == 143
        again = eye().search(path, Watch("the command"))
        assert path.read_bytes() == (tmp_path / "whole.json").read_bytes()
        assert (again.best, again.candidates, again.tries) == (whole.best, whole.candidates, whole.tries)
        assert same(again.pruned.model.state_dict(), whole.pruned.model.state_dict())

    def test_more_candidates_go_on_where_it_ended(self, eye, tmp_path, monkeypatch):
        few = eye(candidates=2).search(tmp_path / "e.json")
        tried = []
        candidate = EagleEye.candidate
        monkeypatch.setattr(EagleEye, "candidate", lambda self, n: tried.append(n) or candidate(self, n))
        more = eye().search(tmp_path / "e.json")
        assert more.candidates[:2] == few.candidates
        assert tried[0] == few.tries

    @pytest.mark.parametrize(
        ("how", "problem"),
        [
            ({"seed": 1}, "is of seed 0, and now it is 1"),
            ({"high": 0.5}, r"is of drawn from \[0.0, 0.95\], and now it is \[0.0, 0.5\]"),
            ({"budget": 0.5}, "is of budget"),
            ({"only": [STEM], "budget": 0.9}, "another choice of layers|is of budget"),
        ],
    )
    def test_a_file_of_other_settings(self, eye, tmp_path, how, problem):
        eye(candidates=1).search(tmp_path / "e.json")
        with pytest.raises(CompressionError, match=problem):
            eye(**{"candidates": 1, **how}).search(tmp_path / "e.json")

    def test_another_model_and_a_damaged_file(self, eye, tmp_path):
        path = tmp_path / "e.json"
        eye(candidates=1).search(path)
        other = eye()
        other.model = copy.deepcopy(other.model)
        with torch.no_grad():
            other.model.head.linear.bias[0] += 1
        with pytest.raises(CompressionError, match="is of another model"):
            other.search(path)
        values = json.loads(path.read_text())
        values["candidates"][0]["read"]["correct"] += 1
        path.write_text(json.dumps(values))
        with pytest.raises(CompressionError, match="was changed"):
            eye().search(path)


class TestUnmet:
    def test_no_candidate_can(self, eye, tmp_path):
        with pytest.raises(
            CompressionError, match=r"cannot be met: .*a share of 0.95 off every layer.*Allowed: [\d,]+ mult"
        ):
            eye(budget=0.01).search(tmp_path / "e.json")
        assert not (tmp_path / "e.json").exists()

    def test_chance_does_not(self, eye, tmp_path, monkeypatch, graph, taught):
        monkeypatch.setattr(eagleeye, "TRIES", 3)
        least = Meter(64).cost(prune(taught.model, Pruning(0.95), graph).model, "macs")
        search = eye(candidates=1)
        search.budget = Budget("macs", least)
        with pytest.raises(CompressionError, match=rf"none of 3 models .*meets the target of .*{least:,}.*--min-ratio"):
            search.search(tmp_path / "e.json")
        assert read_record(tmp_path / "e.json", "eagleeye")["tries"] == 3

    def test_the_full_model_does(self, eye, tmp_path):
        with pytest.raises(CompressionError, match="and the full model has"):
            eye(budget=1.5).search(tmp_path / "e.json")
