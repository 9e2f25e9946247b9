"""Which channels go: shares, scopes, rounding, names; what is refused."""

import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.compress.criteria import CRITERIA
from glyphlet.compress.graph import Graph
from glyphlet.compress.prune import Pruning, choose, prune, wanted
from glyphlet.errors import CompressionError
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters, multiply_adds
from glyphlet.spec import ModelSpec
from support import micro, part

STEM, BLOCK = "backbone.stem.0", "backbone.blocks.0.pointwise.0"


def filled(stem, block):
    """The micro network with filters of one value each; its depthwise layer tells no channel from another."""
    model = micro(nh=len(stem))
    with torch.no_grad():
        model.backbone.stem[0].weight.copy_(torch.tensor(stem).view(-1, 1, 1, 1).expand(-1, 1, 4, 4))
        model.backbone.blocks[0].depthwise[0].weight.fill_(1.0)
        model.backbone.blocks[0].pointwise[0].weight.copy_(
            torch.tensor(block).view(-1, 1, 1, 1).expand(-1, len(block), 1, 1)
        )
    return model


def gone(pruned):
    return {name: [strand.tolist() for strand in strands] for name, strands in pruned.removed.items()}


class TestShares:
    def test_of_each_layer_the_least_go(self):
        model = filled([4.0, 1, 3, 2], [1.0, 2, 3, 4])
        pruned = prune(model, Pruning(ratio=0.5))
        assert gone(pruned) == {STEM: [[1, 3]], BLOCK: [[0, 1]]}
        assert pruned.sizes == {STEM: (4, 2), BLOCK: (4, 2)}
        smaller = pruned.model
        assert smaller.backbone.stem[0].weight[:, 0, 0, 0].tolist() == [4, 3]
        assert smaller.backbone.blocks[0].pointwise[0].weight[:, :, 0, 0].tolist() == [[3, 3], [4, 4]]
        assert torch.equal(smaller.head.linear.weight, model.head.linear.weight[:, 16:])

    def test_equal_ones_go_in_order(self):
        assert gone(prune(filled([1.0] * 4, [2.0] * 4), Pruning(ratio=0.5))) == {STEM: [[0, 1]], BLOCK: [[0, 1]]}

    def test_of_all_layers_the_least_go(self):
        """The stem's are (.2, .4, 1, 2.4) of their mean; with the depthwise layer's 1 in the mean (.6, .7, 1, 1.7). The
        block's are (.9, 1, 1, 1.1). A quarter of the eight channels are two.
        """
        model = filled([1.0, 2, 5, 12], [9.0, 10, 10, 11])
        pruned = prune(model, Pruning(ratio=0.25, scope="global"))
        assert gone(pruned) == {STEM: [[0, 1]]}
        assert pruned.sizes == {STEM: (4, 2), BLOCK: (4, 4)}

    def test_one_channel_of_each_always_stays(self):
        model = filled([1.0, 1, 1, 1], [1.0, 1, 1, 1])
        for scope in ("layer", "global"):
            assert prune(model, Pruning(ratio=0.99, scope=scope)).sizes == {STEM: (4, 1), BLOCK: (4, 1)}

    @pytest.mark.parametrize(("ratio", "kept"), [(0.0, 10), (0.1, 9), (0.3, 7), (0.34, 7), (0.7, 3), (0.95, 1)])
    def test_never_more_than_asked_for(self, ratio, kept):
        assert prune(micro(nh=10), Pruning(ratio=ratio)).sizes[STEM] == (10, kept)

    def test_single_layers(self):
        pruned = prune(micro(nh=8), Pruning(ratio=0.5, ratios={BLOCK: 0.25}))
        assert pruned.sizes == {STEM: (8, 4), BLOCK: (8, 6)}
        assert prune(micro(nh=8), Pruning(ratios={"backbone.blocks": 0.25})).sizes == {STEM: (8, 8), BLOCK: (8, 6)}

    def test_only_and_skip(self):
        model = micro(nh=8, neck=part("gru", hidden=4))
        sizes = prune(model, Pruning(ratio=0.5, only=["backbone"])).sizes
        assert [after for _, after in sizes.values()] == [4, 4, 4]
        sizes = prune(model, Pruning(ratio=0.5, skip=[STEM, "neck"])).sizes
        assert [after for _, after in sizes.values()] == [8, 4, 4]

    @pytest.mark.parametrize(("round_to", "kept"), [(1, 5), (4, 8), (3, 6), (10, 10), (16, 10)])
    def test_what_stays_is_rounded_up(self, round_to, kept):
        assert prune(micro(nh=10), Pruning(ratio=0.5, round_to=round_to)).sizes[STEM] == (10, kept)

    def test_all_strands_of_a_recurrent_layer_lose_equally_many(self):
        model = micro(nh=4, neck=part("bilstm", hidden=6, layers=2))
        pruned = prune(model, Pruning(ratio=0.5, only=["neck"]))
        assert [len(strand) for strand in pruned.removed["neck.rnn"]] == [3] * 4
        assert len({tuple(strand.tolist()) for strand in pruned.removed["neck.rnn"]}) > 1
        assert pruned.model.neck.rnn.hidden_size == 3
        assert pruned.model.head.linear.in_features == 6

    def test_a_search_chooses_by_itself(self):
        matter = {"a": [torch.tensor([3.0, 1, 2])], "b": [torch.tensor([1.0, 2]), torch.tensor([2.0, 1])]}
        found = choose(matter, {"a": 2, "b": 1})
        assert {name: [s.tolist() for s in strands] for name, strands in found.items()} == {
            "a": [[1, 2]],
            "b": [[0], [1]],
        }
        assert choose(matter, {"a": 0, "b": 0}) == {}


class TestModel:
    @pytest.mark.parametrize("criterion", list(CRITERIA))
    def test_half_of_the_channels_are_about_a_third_of_the_weights(self, criterion):
        torch.manual_seed(0)
        spec = ModelSpec(backbone=part("glyph", stem=8, width=24), neck=part("fold"))
        model = build(spec, Geometry(), Charset.named("digits"))
        before = {name: value.clone() for name, value in model.state_dict().items()}
        smaller = prune(model, Pruning(ratio=0.5, criterion=criterion)).model
        assert 0.25 < count_parameters(smaller) / count_parameters(model) < 0.4
        assert 0.25 < multiply_adds(smaller, 64) / multiply_adds(model, 64) < 0.4
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert model.spec == spec
        assert smaller.state_dict().keys() == before.keys()

    def test_chance_is_repeated_by_its_seed(self):
        model = micro(nh=16)
        results = [gone(prune(model, Pruning(ratio=0.5, criterion="random", seed=seed))) for seed in (1, 1, 2)]
        assert results[0] == results[1] != results[2]

    def test_no_random_number_is_drawn_and_nothing_else_changes(self):
        model = micro(nh=8).train()
        model.backbone.stem.eval()
        model.head.requires_grad_(False)
        state = torch.get_rng_state()
        smaller = prune(model, Pruning(ratio=0.5)).model
        assert torch.equal(torch.get_rng_state(), state)
        assert (smaller.training, smaller.backbone.stem.training, smaller.head.training) == (True, False, True)
        assert not smaller.head.linear.weight.requires_grad
        assert smaller.backbone.stem[0].weight.requires_grad

    def test_a_graph_serves_many(self):
        model = micro(nh=8)
        graph = Graph.of(model)
        for ratio in (0.25, 0.5):
            how = Pruning(ratio=ratio)
            again = prune(model, how, graph).model.state_dict()
            assert all(torch.equal(v, again[k]) for k, v in prune(model, how).model.state_dict().items())

    def test_pruned_twice(self):
        model = micro(nh=8)
        once = prune(model, Pruning(ratio=0.5, only=[STEM])).model
        twice = prune(once, Pruning(ratio=0.5)).model
        assert twice.backbone.stem[0].out_channels == 2
        again = build(twice.spec, twice.geometry, twice.codec.charset)
        again.load_state_dict(twice.state_dict())
        lines = torch.rand(1, 1, 32, 64)
        assert torch.equal(again.eval()(lines), twice.eval()(lines))

    def test_layers_without_normalisation(self):
        model = build(ModelSpec(backbone=part("vgg"), neck=part("pool")), Geometry(), Charset.named("digits"))
        pruned = prune(model, Pruning(ratio=0.9, only=["backbone.layers.conv0", "backbone.layers.conv1"]))
        assert pruned.sizes["backbone.layers.conv0"] == (64, 7)
        assert pruned.model(torch.zeros(1, 1, 32, 64)).shape == (1, 17, 11)


class TestRefused:
    @pytest.mark.parametrize("ratio", [1, 1.5, -0.1, float("nan"), "half", True])
    def test_a_ratio_out_of_range(self, ratio):
        with pytest.raises(
            CompressionError, match=r"the ratio is .*Allowed: 0 to less than 1.*Next: 0\.5 removes half"
        ):
            Pruning(ratio=ratio)
        with pytest.raises(CompressionError, match=r"the ratio of backbone is "):
            Pruning(ratios={"backbone": ratio})

    @pytest.mark.parametrize("where", ["ratios", "only", "skip"])
    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("backbone.stm.0", "there is no layer 'backbone.stm.0' .did you mean 'backbone.stem.0'"),
            ("backbone.blocks.0.depthwise.0", "cannot be pruned by itself: it goes together with 'backbone.stem.0'"),
            ("head.linear", "cannot be pruned by itself: its outputs are those of the model"),
            ("xyz", "there is no layer 'xyz'"),
            ("backbone.stem.0.weight", "there is no layer 'backbone.stem.0.weight'"),
        ],
    )
    def test_a_layer_that_is_none(self, where, name, problem):
        how = Pruning(**{where: {name: 0.5} if where == "ratios" else [name]})
        with pytest.raises(
            CompressionError, match=problem + ".*Allowed: backbone.stem.0, backbone.blocks.0.pointwise.0"
        ):
            prune(micro(), how)

    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            ({"criterion": "l0"}, "there is no criterion 'l0'"),
            ({"scope": "model"}, "the scope is 'model'. Allowed: layer, global"),
            (
                {"scope": "global", "ratios": {"backbone": 0.5}},
                "ratios are given for backbone, and the scope is global",
            ),
            ({"round_to": 0}, "round_to is 0"),
            ({"round_to": 1.5}, "round_to is 1.5"),
        ],
    )
    def test_a_wish_that_makes_no_sense(self, values, problem):
        with pytest.raises(CompressionError, match=problem):
            Pruning(**values)

    def test_nothing_to_prune(self):
        with pytest.raises(
            CompressionError, match="`only` and `skip` leave no layer to prune. Allowed: backbone.stem.0, "
        ):
            prune(micro(), Pruning(ratio=0.5, only=["backbone"], skip=["backbone"]))
        graph = Graph({}, {"head.linear": "its outputs are those of the model"})
        with pytest.raises(CompressionError, match=r"no layer of this model can be pruned .head.linear: its outputs"):
            prune(micro(), Pruning(ratio=0.5), graph)

    def test_weights_that_diverged(self):
        model = micro()
        with torch.no_grad():
            model.head.linear.bias[0] = float("nan")
        with pytest.raises(CompressionError, match=r"the weights head\.linear\.bias hold NaN or infinity"):
            prune(model, Pruning(ratio=0.5))

    def test_shares_by_group(self):
        graph = Graph.of(micro(nh=4))
        assert wanted(graph, Pruning(ratio=0.5, skip=[STEM], ratios={BLOCK: 0.25})) == {BLOCK: 0.25}
