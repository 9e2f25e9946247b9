"""Which channels go together, by hand; what cannot be pruned, and why."""

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.compress.graph import Graph
from glyphlet.compress.join import view
from glyphlet.errors import CompressionError
from glyphlet.image import Geometry
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.heads import HEADS
from glyphlet.models.heads.ctc import CTCHead
from glyphlet.models.heads.sequence import SequenceHead
from glyphlet.models.necks import NECKS
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec
from support import micro, part


def graph_of(**parts):
    return Graph.of(build(ModelSpec(**parts), Geometry(), Charset.named("digits")))


class TestGroups:
    def test_of_the_micro_network(self):
        graph = Graph.of(micro(nh=3))
        assert {name: group.size for name, group in graph.groups.items()} == {
            "backbone.stem.0": 3,
            "backbone.blocks.0.pointwise.0": 3,
        }
        (strand,) = graph.groups["backbone.stem.0"].strands
        assert list(strand) == [
            "backbone.stem.0.out_channels",
            "backbone.stem.1.num_features",
            "backbone.blocks.0.depthwise.0.out_channels",
            "backbone.blocks.0.depthwise.0.in_channels",
            "backbone.blocks.0.depthwise.1.num_features",
            "backbone.blocks.0.pointwise.0.in_channels",
        ]
        assert all(table.tolist() == [[0], [1], [2]] for table in strand.values())

    def test_rows_are_folded_into_features(self):
        (strand,) = Graph.of(micro(nh=3)).groups["backbone.blocks.0.pointwise.0"].strands
        assert strand["head.linear.in_features"].tolist() == [[*range(8)], [*range(8, 16)], [*range(16, 24)]]

    def test_steps_of_a_column_share_their_features(self):
        (strand,) = Graph.of(micro(nh=1, neck=part("subpixel", times=2))).groups["neck.linear"].strands
        assert strand["neck.linear.out_features"].tolist() == [[c, 8 + c] for c in range(8)]
        assert strand["head.linear.in_features"].tolist() == [[c] for c in range(8)]

    def test_directions_lie_side_by_side(self):
        group = Graph.of(micro(nh=1, neck=part("bilstm", hidden=2, layers=2))).groups["neck.rnn"]
        features = [strand.get("head.linear.in_features") for strand in group.strands]
        assert [None if t is None else t.tolist() for t in features] == [None, None, [[0], [1]], [[2], [3]]]

    def test_stacked_maps_are_told_apart(self):
        """FPN-A stacks f5 and f4, then f4 and f3: f4 is read twice, at another place each time."""
        graph = graph_of(
            backbone=part("mobilenetv3_small", scale=0.35, maps="first"), pyramid=part("fpn", variant="a", width=8)
        )
        f4 = next(g for g in graph.groups.values() if "pyramid.down3.0.in_channels" in g.strands[0] and g.size == 16)
        assert f4.strands[0]["pyramid.down4.0.in_channels"].tolist() == [[32 + c] for c in range(16)]
        assert f4.strands[0]["pyramid.down3.0.in_channels"].tolist() == [[c] for c in range(16)]

    def test_gates_of_decoders(self):
        graph = Graph.of(micro(nh=1))
        assert "head.cell" not in graph.groups
        graph = graph_of(backbone=part("micro", nh=1), head=part("attention", hidden=2))
        (cell,) = graph.groups["head.cell"].strands
        assert cell["head.cell.recurrent.out_features"].tolist() == [[0, 2, 4], [1, 3, 5]]
        assert graph.groups["head.key"].size == 2

    def test_a_model_is_left_as_it_was(self):
        model = micro(nh=3, neck=part("bilstm", hidden=2)).train()
        state = torch.get_rng_state()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        Graph.of(model)
        assert model.training
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

    def test_names_under_a_module(self):
        graph = graph_of(backbone=part("glyph", stem=4, width=4, depth=2))
        assert graph.under(["backbone.stem"]) == ["backbone.stem.0.0", "backbone.stem.2.0"]
        assert graph.under(["backbone.blocks.1", "backbone.merge.0"]) == [
            "backbone.blocks.1.expand",
            "backbone.merge.0",
        ]

    def test_layers_that_do_nothing(self):
        graph = graph_of(backbone=part("mobilenetv3_small", scale=0.35, maps="first"), pyramid=part("fpn", width=8))
        assert graph.fixed["backbone.blocks.10.layers.0.0"] == "no output depends on it"


class TestView:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ((1, 3, 4, 5), (1, 12, 5), [4, 5, 6, 7]),
            ((1, 3, 4, 5), (1, 60), [*range(20, 40)]),
            ((1, 3, 4, 5), (1, 3, 20), [1]),
            ((1, 7, 6), (7, 1, 6), [1]),
            ((1, 7, 6), (1, 14, 3), [1]),
            ((2, 6), (2, 3, 2), None),
            ((1, 3, 4, 5), (1, 6, 2, 5), None),
        ],
    )
    def test_of_channel_1(self, before, after, expected):
        goes = view(torch.Size(before), torch.Size(after))
        assert (goes and goes(1)) == expected

    def test_the_second_half_of_the_features_is_the_next_step(self):
        assert view(torch.Size((1, 7, 6)), torch.Size((1, 14, 3)))(4) == [1]


class Mean(nn.Module):
    """Adds the mean over all channels: removing one changes the others, silencing it does not."""

    def __init__(self):
        super().__init__()
        self.channels, self.strides = [4], [(4, 4)]
        self.first, self.second = nn.Conv2d(1, 4, 4, 4), nn.Conv2d(4, 4, 1)

    def forward(self, x):
        first = self.first(x)
        return [self.second(first + first.mean(1, keepdim=True))]


class Grouped(Mean):
    def __init__(self):
        super().__init__()
        self.second = nn.Conv2d(4, 4, 1, groups=2)


class DeepMean(Mean):
    def __init__(self):
        super().__init__()
        self.second = nn.Conv2d(4, 4, 1, groups=4)


class Shuffled(Mean):
    def forward(self, x):
        first = self.first(x)
        return [self.second(first.reshape(len(x), 2, 2, *first.shape[2:]).transpose(1, 2).reshape(first.shape))]


class Listening(nn.Module):
    """A neck of another: what this page of the design shows."""

    def __init__(self, features):
        super().__init__()
        self.features = features

    def forward(self, maps):
        return maps[-1].mean(2).transpose(1, 2)


class DeepHead(CTCHead):
    def __init__(self, features, charset):
        super().__init__(6, charset, 0.0)
        self.before = nn.Linear(features, 6)

    def forward(self, x_NTD, labels=None):
        return super().forward(self.before(x_NTD).relu())


class Odd(SequenceHead):
    """A decoder that nobody knows."""

    def __init__(self, features, charset):
        super().__init__(charset, 2, filler=None)
        self.linear = nn.Linear(features, self.codec.classes)

    def begin(self, x_NTD):
        return [x_NTD.mean(1)]

    def step(self, state, class_N):
        return self.linear(state[0]), state


@pytest.fixture
def parts_of_others(monkeypatch):
    """Parts that are registered by a program of one's own."""
    for registry, made in (
        (
            BACKBONES,
            {
                "mean": lambda inputs: Mean(),
                "deep_mean": lambda inputs: DeepMean(),
                "grouped": lambda inputs: Grouped(),
                "shuffled": lambda i: Shuffled(),
            },
        ),
        (NECKS, {"listening": lambda channels, heights: Listening(channels[-1])}),
        (HEADS, {"deep": DeepHead, "odd": Odd}),
    ):
        monkeypatch.setattr(registry, "_builders", {**registry._builders, **made})


@pytest.mark.usefixtures("parts_of_others")
class TestPartsOfOthers:
    def test_plain_ones_are_followed(self):
        graph = graph_of(backbone=part("micro", nh=4), neck=part("listening"), head=part("deep"))
        assert [*graph.groups][-2:] == ["backbone.blocks.1.pointwise.0", "head.before"]
        assert graph.groups["head.before"].size == 6

    @pytest.mark.parametrize(
        ("backbone", "why"),
        [
            ("mean", "removing its channels would change more than silencing them"),
            ("grouped", "backbone.second .Conv2d. depends on its channels"),
            ("shuffled", "not understood"),
        ],
    )
    def test_what_cannot_be_followed_is_refused(self, backbone, why):
        graph = graph_of(backbone=part(backbone))
        assert [name for name in graph.groups if name == "backbone.first"] == []
        with pytest.raises(CompressionError, match=f"'backbone.first' cannot be pruned by itself: .*{why}"):
            graph.under(["backbone.first"])

    def test_depthwise_layers_of_refused_channels_say_why(self):
        graph = graph_of(backbone=part("deep_mean"))
        assert graph.fixed["backbone.second"] == graph.fixed["backbone.first"]
        assert graph.fixed["backbone.first"].startswith("removing its channels")

    def test_the_rest_of_such_a_model_can_be_pruned(self):
        assert [*graph_of(backbone=part("mean")).groups] == ["backbone.second"]

    def test_an_unknown_decoder_keeps_its_features(self):
        graph = graph_of(backbone=part("micro", nh=4, depth=1), head=part("odd"))
        assert [*graph.groups] == ["backbone.stem.0"]
        assert graph.fixed["backbone.blocks.0.pointwise.0"] == "how head Odd reads them is not known"
