"""Of every part of the registries: a model without some channels computes what the full one computes with them masked.

The masks here act on what flows, not on weights: whoever reads channels is given zeros in their place, and the hidden states
of recurrent layers are masked step by step.
"""

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.compress.cut import silenced, without
from glyphlet.compress.graph import Graph
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.heads import HEADS
from glyphlet.models.necks import NECKS
from glyphlet.models.pyramids import PYRAMIDS
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters, multiply_adds
from glyphlet.models.transforms import TRANSFORMS
from glyphlet.spec import ModelSpec
from support import part

SMALL = {
    "glyph": {"stem": 4, "width": 6, "depth": 2},
    "micro": {"nh": 6},
    "mobilenetv3_small": {"scale": 0.35},
    "mobilenetv3_large": {"scale": 0.35},
    "fpn": {"width": 10},
    "tps": {"width": 3},
    "bilstm": {"hidden": 5},
    "bigru": {"hidden": 5},
    "gru": {"hidden": 5},
    "latent": {"features": 7},
    "attention": {"hidden": 6, "max_length": 4},
    "lstm": {"max_length": 4},
}
"""Options that make the parts small; parts that do not stand here are taken as they are."""


def small(name, **options):
    return part(name, **{**SMALL.get(name, {}), **options})


MICRO = small("micro")
THREE = small("mobilenetv3_small", maps="first")
CASES = {
    **{f"backbone {name}": [{"backbone": small(name), "neck": part("pool")}] for name in BACKBONES},
    **{f"pyramid {name}": [{"backbone": THREE, "pyramid": small(name)}] for name in PYRAMIDS},
    **{
        f"neck {name}": [{"backbone": MICRO, "neck": small(name), "head": small(head)} for head in ("ctc", "attention")]
        for name in NECKS
    },
    **{
        f"head {name}": [{"backbone": MICRO, "neck": small(neck), "head": small(name)} for neck in ("fold", "latent")]
        for name in HEADS
    },
    **{f"transform {name}": [{"transform": small(name), "backbone": MICRO}] for name in TRANSFORMS},
    **{
        f"{attention} {activation}": [
            {"backbone": small("mobilenetv3_small", attention=attention, activation=activation), "neck": part("pool")}
        ]
        for attention, activation in (("ca", "acon"), ("se", "meta_acon"), ("none", "hswish"))
    },
    **{
        f"fpn {variant}": [
            {
                "backbone": small("mobilenetv3_small", maps=maps, attention="ca"),
                "pyramid": small("fpn", variant=variant, pool=pool),
            }
        ]
        for variant, maps, pool in (("a", "last", "max"), ("b", "first", "blur"), ("c", "first", "blur"), ("d", "last", "blur"))
    },
    "resnet18 se": [{"backbone": part("resnet18", se=True)}],
    "glyph rows": [{"backbone": small("glyph", stride=8, merge=2), "neck": part("fold")}],
    "tps idle": [{"transform": small("tps", idle_layer=True, start="slanted"), "backbone": MICRO}],
    "stacked lstm": [{"backbone": MICRO, "neck": small("bilstm", layers=3)}],
    "stacked gru": [{"backbone": MICRO, "neck": small("gru", layers=2, over="step")}],
    "projected": [{"backbone": MICRO, "neck": small("bigru", layers=2, project=4)}],
    "step": [{"backbone": MICRO, "neck": small("bilstm", over="step")}],
    "columns": [{"backbone": MICRO, "neck": small("latent", columns=3), "head": small("lstm", bidirectional=True)}],
    "four steps": [{"backbone": MICRO, "neck": part("subpixel", times=4)}],
    "recurrent attention": [{"backbone": MICRO, "neck": small("bilstm"), "head": small("attention")}],
}  # fmt: skip
"""Models; of several the first one whose parts fit each other is taken."""


def made(specs, channels=1):
    torch.manual_seed(1)
    for spec in specs:
        try:
            model = build(ModelSpec(**spec), Geometry(channels=channels, width_step=32), Charset.named("digits"))
            break
        except RecipeError:
            if spec is specs[-1]:
                raise
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():  # no weight is 0 or 1 as some start
            scale = 0.5 / parameter[0].numel() ** 0.5 if parameter.dim() > 1 else 0.2
            parameter += scale * torch.randn_like(parameter)
        for name, buffer in model.named_buffers():
            if "running" in name:
                buffer += 0.3 * torch.rand_like(buffer)
    return model


def drawn(graph, share=0.4):
    """Channels of every group at random, others in each strand."""
    return {
        name: [torch.randperm(group.size)[: round(share * group.size)] for _ in group.strands]
        for name, group in graph.groups.items()
    }


def recurrence(layer, x, gone):
    """An LSTM or GRU step by step, the units that are gone masked after each step; written after torch's pages."""
    x = x if layer.batch_first else x.transpose(0, 1)
    directions = 2 if layer.bidirectional else 1
    for number in range(layer.num_layers):
        outputs = []
        for direction in range(directions):
            suffix = f"_l{number}" + ("_reverse" if direction else "")
            w, u, b, c = (getattr(layer, f"{n}{suffix}") for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            mask = torch.ones(layer.hidden_size, dtype=x.dtype)
            mask[gone[number * directions + direction]] = 0
            h = cell = x.new_zeros(len(x), layer.hidden_size)
            steps = [None] * x.shape[1]
            for t in reversed(range(x.shape[1])) if direction else range(x.shape[1]):
                fed, back = x[:, t] @ w.T + b, h @ u.T + c
                if isinstance(layer, nn.LSTM):
                    i, f, g, o = (fed + back).chunk(4, 1)
                    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
                    h = o.sigmoid() * cell.tanh()
                else:
                    (r, z, n), (rb, zb, nb) = fed.chunk(3, 1), back.chunk(3, 1)
                    r, z = (r + rb).sigmoid(), (z + zb).sigmoid()
                    h = (1 - z) * (n + r * nb).tanh() + z * h
                steps[t] = h = h * mask
            outputs.append(torch.stack(steps, 1))
        x = torch.cat(outputs, 2)
    return x, None


def masked(model, graph, removed, lines):
    """What the full model computes when the channels are masked wherever they are read."""
    hooks, undone = [], []
    for name, strands in removed.items():
        for number, gone in enumerate(strands):
            for axis, table in graph.groups[name].strands[number].items():
                layer_name, _, size = axis.rpartition(".")
                layer = model.get_submodule(layer_name)
                columns = table[gone].flatten()
                whole = isinstance(layer, nn.Conv2d) and layer.groups == 1
                if (size == "in_channels" and whole) or size in ("in_features", "input_size"):

                    def mask(layer, inputs, columns=columns, dim=1 if whole else -1):
                        return inputs[0].index_fill(dim, columns, 0.0), *inputs[1:]

                    hooks.append(layer.register_forward_pre_hook(mask))
        own = f"{name}.hidden_size"
        if own in graph.groups[name].strands[0]:
            layer = model.get_submodule(name)
            layer.forward = lambda x, layer=layer, gone=strands: recurrence(layer, x, gone)
            undone.append(layer)
    try:
        return model(lines)
    finally:
        for hook in hooks:
            hook.remove()
        for layer in undone:
            del layer.forward


@pytest.mark.parametrize("case", CASES)
def test_removed_is_masked(case):
    model = made(CASES[case])
    graph = Graph.of(model)
    removed = drawn(graph)
    smaller = without(model, graph.groups, removed)
    lines = torch.rand(1, 1, 32, 64, dtype=torch.float64)
    with torch.no_grad():
        full, got = model(lines), smaller(lines)
        expected = masked(model, graph, removed, lines)
    assert (got - expected).abs().max() < 1e-9 * (1 + expected.abs().max())
    assert (got - full).abs().max() > 1e-6  # the masks did something
    # Every layer is in a group, but for the classes, the fiducial points and what no output depends on.
    alone = {name: why for name, why in graph.fixed.items() if "goes together" not in why}
    unused = {n for n, why in alone.items() if "no output" in why}
    assert alone.keys() - unused <= {"head.linear", "head.length.1", "head.score", "transform.localisation.points"}
    used = {name for name, p in model.named_parameters() if p.requires_grad and "idle" not in name}
    assert not {f"{name}.weight" for name in unused} & used
    # It is smaller, and built again from its settings it takes the weights.
    assert count_parameters(smaller) < count_parameters(model)
    again = build(smaller.spec, smaller.geometry, smaller.codec.charset)
    again.load_state_dict(smaller.state_dict())


SOME = ["backbone glyph", "pyramid fpn", "columns", "recurrent attention", "transform tps", "stacked lstm"]


@pytest.mark.parametrize("case", SOME)
def test_silent_is_masked(case):
    model = made(CASES[case])
    graph = Graph.of(model)
    removed = drawn(graph)
    lines = torch.rand(2, 1, 32, 96, dtype=torch.float64)
    with torch.no_grad():
        expected = masked(model, graph, removed, lines)
        assert (silenced(model, graph.groups, removed)(lines) - expected).abs().max() < 1e-9
        smaller = without(model, graph.groups, removed)
        again = build(smaller.spec, smaller.geometry, smaller.codec.charset).double().eval()
        again.load_state_dict(smaller.state_dict())
        assert torch.equal(again(lines), smaller(lines))


@pytest.mark.parametrize("case", SOME)
def test_a_smaller_model_costs_less_and_learns(case):
    model = made(CASES[case], channels=3).float()
    graph = Graph.of(model)
    smaller = without(model, graph.groups, drawn(graph)).train()
    lines, labels = torch.rand(2, 3, 32, 96), [[1, 2], [3]]
    assert multiply_adds(smaller, 96) < multiply_adds(model, 96)
    head = smaller.head
    head.loss(smaller(lines, labels) if head.guided else smaller(lines), labels).backward()
    for name, parameter in smaller.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.shape == parameter.shape
            assert torch.isfinite(parameter.grad).all()
