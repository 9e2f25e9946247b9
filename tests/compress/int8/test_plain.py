"""A graph with its normalisations folded computes what it computed before."""

import numpy as np
import onnx
import pytest

from glyphlet.compress.int8.fallback import logits_of, noise
from glyphlet.compress.int8.plain import Plain
from glyphlet.export.storage import stored_as
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.heads import HEADS
from glyphlet.models.necks import NECKS
from support import part

SMALL = {
    "glyph": {"stem": 8, "width": 12, "depth": 2},
    "micro": {"nh": 8},
    "mobilenetv3_small": {"scale": 0.35},
    "mobilenetv3_large": {"scale": 0.35},
    "bilstm": {"hidden": 5},
    "bigru": {"hidden": 5},
    "gru": {"hidden": 5},
    "attention": {"hidden": 6, "max_length": 4},
    "lstm": {"max_length": 4},
}
MICRO = part("micro", nh=8)
ATTENTION = part("attention", hidden=6, max_length=4)
HEAVY = {"resnet34", "resnet50", "resnet18_imagenet", "resnet50_imagenet"}
CASES = {
    **{name: {"backbone": part(name, **SMALL.get(name, {})), "neck": part("pool")} for name in set(BACKBONES) - HEAVY},
    **{
        f"neck {name}": {"backbone": MICRO, "neck": part(name, **SMALL.get(name, {})), "head": ATTENTION}
        for name in NECKS
    },
    **{
        f"head {name}": {
            "backbone": MICRO,
            "neck": part("fold" if name == "ctc" else "latent"),
            "head": part(name, **SMALL.get(name, {})),
        }
        for name in HEADS
    },
    "attention and pyramid": {
        "backbone": part("mobilenetv3_small", scale=0.35, maps="last", attention="ca", activation="meta_acon"),
        "pyramid": part("fpn", variant="d", width=10, pool="blur"),
    },
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_kind_computes_what_it_did(model_of, graph_of, images, name):
    graph = graph_of(model_of(CASES[name]))
    plain = Plain(graph)
    made = plain.graph()
    onnx.checker.check_model(made)
    expected, found = logits_of(graph, images[:4]), logits_of(made, images[:4])
    assert all(np.isfinite(logits).all() for logits in found)
    assert noise(expected, found) < 1e-9
    norms = {node.input[0] for node in graph.graph.node if node.op_type == "BatchNormalization"}
    convs = {node.output[0] for node in graph.graph.node if node.op_type == "Conv"}
    left = [node for node in made.graph.node if node.op_type == "BatchNormalization"]
    assert len(left) == len(norms - convs)  # every one behind a convolution is gone
    assert len(plain.folded) == len(norms & convs)


@pytest.mark.parametrize("weights", ["float16", "int8"])
def test_constants_of_fewer_bits_are_float32_again(model_of, graph_of, images, weights):
    graph = graph_of(model_of({"backbone": part("glyph", stem=16, width=40, depth=1), "neck": part("fold")}))
    stored = stored_as(weights, graph)
    plain = Plain(stored)
    assert not any(name.endswith(("/int8", "/float16", "/scale")) for name in plain.constants)
    assert {values.dtype for values in plain.constants.values()} <= {np.dtype(np.float32), np.dtype(np.int64)}
    assert noise(logits_of(stored, images[:3]), logits_of(plain.graph(), images[:3])) < 1e-9


def test_layers_are_named_after_their_weights(model_of, graph_of):
    model = model_of({"backbone": part("glyph", stem=4, width=6, depth=1), "neck": part("fold")})
    layers = {layer.name: layer for layer in Plain(graph_of(model)).layers()}
    own = {name for name, value in model.state_dict().items() if value.dim() in (2, 4)}
    assert set(layers) == own
    assert layers["backbone.blocks.0.along.weight"].groups == 6
    assert layers["backbone.blocks.0.expand.weight"].conv
    assert not layers["head.linear.weight"].conv


def test_the_given_graph_is_left_alone(model_of, graph_of):
    graph = graph_of(model_of({"backbone": part("micro", nh=8), "neck": part("fold")}))
    before = graph.SerializeToString()
    Plain(graph).graph()
    assert graph.SerializeToString() == before
