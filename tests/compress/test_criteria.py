"""What a channel matters, worked by hand."""

import math

import pytest
import torch

from glyphlet.compress.criteria import CRITERIA, filters, scores
from glyphlet.compress.graph import Graph
from glyphlet.errors import CompressionError
from support import micro, part

# Three filters of two weights: a corner, 3 to the right of it, 4 above that.
FILTERS = torch.tensor([[0.0, 0.0], [3.0, 0.0], [-3.0, -4.0]])


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ("l1", [0, 3, 7]),
        ("l2", [0, 3, 5]),
        ("fpgm", [3 + 5, 3 + math.sqrt(52), 5 + math.sqrt(52)]),
    ],
)
def test_by_hand(criterion, expected):
    assert CRITERIA[criterion](FILTERS, torch.Generator()).tolist() == pytest.approx(expected)


def test_a_filter_at_the_median_goes_first():
    """Of 1, 2, 6 the middle one has the least distance to the others, though it is not the smallest."""
    values = CRITERIA["fpgm"](torch.tensor([[1.0], [2.0], [6.0]]), torch.Generator())
    assert values.tolist() == [1 + 5, 1 + 4, 5 + 4]


def test_small_distances_far_from_zero_are_exact():
    """Of 40 filters: for more than 25 torch would multiply them with each other."""
    places = torch.arange(40, dtype=torch.float64)
    values = CRITERIA["fpgm"](1e5 + 1e-3 * places[:, None], torch.Generator())
    assert values.tolist() == pytest.approx([1e-3 * (places - p).abs().sum().item() for p in places], rel=1e-6)


class TestScores:
    def test_all_layers_that_make_a_channel_count_and_their_scales_do_not(self):
        """The stem and the depthwise layer of the micro network make the same channels."""
        model = micro(nh=2)
        with torch.no_grad():
            model.backbone.stem[0].weight.copy_(torch.tensor([1.0, 3]).view(2, 1, 1, 1).expand(2, 1, 4, 4))
            model.backbone.blocks[0].depthwise[0].weight.copy_(
                torch.tensor([500.0, 300]).view(2, 1, 1, 1).expand(2, 1, 3, 3)
            )
        group = Graph.of(model).groups["backbone.stem.0"]
        assert [rows.shape for rows in filters(model, group.strands[0])] == [(2, 16), (2, 9)]
        for criterion in ("l1", "l2"):
            (values,) = scores(model, group, criterion)
            assert values.tolist() == pytest.approx([(0.5 + 1.25) / 2, (1.5 + 0.75) / 2])

    def test_weights_of_nothing_matter_nothing(self):
        model = micro(nh=2)
        with torch.no_grad():
            model.backbone.blocks[0].pointwise[0].weight.zero_()
        (values,) = scores(model, Graph.of(model).groups["backbone.blocks.0.pointwise.0"], "l1")
        assert values.tolist() == [0, 0]

    def test_units_have_the_rows_of_all_their_gates(self):
        model = micro(nh=2, neck=part("gru", hidden=2))
        group = Graph.of(model).groups["neck.rnn"]
        with torch.no_grad():
            for parameter in model.neck.rnn.parameters():
                parameter.zero_()
            model.neck.rnn.weight_ih_l0[[1, 3, 4], 0] = torch.tensor([1.0, 2, 4])  # units 1, 1, 0
            model.neck.rnn.weight_hh_l0[5, 0] = 5  # unit 1
        (values,) = scores(model, group, "l1")
        assert values.tolist() == pytest.approx([4 / 6, 8 / 6])

    def test_each_strand_is_told_by_itself(self):
        model = micro(nh=2, neck=part("bilstm", hidden=3, layers=2))
        values = scores(model, Graph.of(model).groups["neck.rnn"], "l2")
        assert [len(v) for v in values] == [3] * 4
        assert len({tuple(v.tolist()) for v in values}) == 4

    def test_chance_is_repeated_by_its_seed_and_differs_between_groups(self):
        model = micro(nh=4)
        one, two = list(Graph.of(model).groups.values())[:2]
        assert torch.equal(scores(model, one, "random", 3)[0], scores(model, one, "random", 3)[0])
        assert not torch.equal(scores(model, one, "random", 3)[0], scores(model, one, "random", 4)[0])
        assert not torch.equal(scores(model, one, "random", 3)[0], scores(model, two, "random", 3)[0])

    def test_an_unknown_one_is_refused(self):
        model = micro()
        group = next(iter(Graph.of(model).groups.values()))
        with pytest.raises(
            CompressionError, match="no criterion 'l3' .did you mean 'l[12]'.*Allowed: l1, l2, fpgm, random"
        ):
            scores(model, group, "l3")
