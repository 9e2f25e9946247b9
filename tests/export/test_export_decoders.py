"""Export of heads that write class after class: the step stands once in the graph, in a loop."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from glyphlet import Reader
from glyphlet.charset import Charset
from glyphlet.export.onnx import export_model, to_onnx
from glyphlet.export.parity import torch_logits
from glyphlet.image import Geometry, prepare
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters
from glyphlet.runtime.bundle import open_model
from glyphlet.spec import ModelSpec
from support import part

KINDS = {
    "attention": (part("bigru", hidden=6), {"hidden": 8, "max_length": 7}),
    "attention one step": (part("latent", features=8), {"hidden": 8, "max_length": 1}),
    "lstm": (part("latent", features=16), {"max_length": 7}),
    "lstm parts": (part("latent", features=16, columns=5), {"max_length": 7}),
    "lstm both": (part("latent", features=16), {"max_length": 7, "bidirectional": True}),
}


@pytest.fixture
def decoder():
    def make(kind, stop=0.0, **options):
        """Random weights, large enough that texts differ; a greater `stop` makes them shorter."""
        torch.manual_seed(4)
        neck, known = KINDS[kind]
        spec = ModelSpec(
            backbone=part("micro", nh=4, depth=1), neck=neck, head=part(kind.split()[0], **{**known, **options})
        )
        model = build(spec, Geometry(), Charset.named("digits")).eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if weight.dim() > 1 and not name.startswith("backbone"):
                    weight.mul_(3)
            model.head.linear.bias[0] += stop
        return model

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_every_width_and_batch_is_read_as_the_model_reads_it(decoder, lines, tmp_path, kind):
    model = decoder(kind, stop=1.0)
    result = export_model(model, tmp_path / "m.onnx", lines, name="x", training={}, measured={})
    assert (result.lines, result.texts_differing) == (200, 0)
    assert result.widths > 10
    assert result.max_difference < 1e-5
    reader = Reader(tmp_path / "m.onnx")
    steps = model.head.max_length + 1
    for width in (1, 33, 700):
        batch = [prepare(np.roll(lines[4], shift)[:, : min(width, 200)], model.geometry) for shift in range(3)]
        expected = np.concatenate([torch_logits(model, line) for line in batch])
        assert expected.shape == (3, steps, 11)
        assert reader.logits(batch) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["attention", "lstm"])
@pytest.mark.parametrize("stop", [100.0, -100.0])
def test_the_shortest_and_the_longest_text(decoder, kind, stop):
    """All lines stop at the first step: the loop turns once for nothing. None ever stops: it turns to the end."""
    model, images = decoder(kind, stop=stop), torch.randn(3, 1, 32, 64)
    (logits,) = ort.InferenceSession(to_onnx(model).SerializeToString()).run(None, {"image": images.numpy()})
    texts = [model.codec.decode(path) for path in logits.argmax(-1).tolist()]
    assert {len(text) for text in texts} == {0 if stop > 0 else 8}
    with torch.no_grad():
        assert logits == pytest.approx(model(images).numpy(), abs=1e-4)


def test_texts_of_several_lengths_share_a_batch(decoder):
    model = decoder("attention", stop=1.0)
    graph = ort.InferenceSession(to_onnx(model).SerializeToString())
    images = torch.from_numpy(np.random.default_rng(1).normal(size=(40, 1, 32, 64)).astype(np.float32) * 2)
    (together,) = graph.run(None, {"image": images.numpy()})
    alone = np.concatenate([graph.run(None, {"image": image[None].numpy()})[0] for image in images])
    ends = {int((path == 0).argmax()) if (path == 0).any() else 8 for path in together.argmax(-1)}
    assert len(ends) > 2
    assert together == pytest.approx(alone, abs=1e-5)
    with torch.no_grad():
        assert together == pytest.approx(model(images).numpy(), abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_is_plain(decoder, kind):
    model = decoder(kind)
    graph = to_onnx(model)
    dims = [
        [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in (graph.graph.input[0], graph.graph.output[0])
    ]
    assert dims == [["N", 1, 32, "W"], ["N", model.head.max_length + 1, 11]]
    onnx.checker.check_model(graph, full_check=True)


@pytest.mark.parametrize("kind", ["attention", "lstm"])
def test_the_graph_does_not_grow_with_the_text(decoder, kind):
    short, long = (to_onnx(decoder(kind, max_length=most)) for most in (5, 500))
    assert len(short.graph.node) == len(long.graph.node)
    assert abs(short.ByteSize() - long.ByteSize()) < 10


def test_weights_stand_once_in_the_file(decoder):
    model = decoder("attention", hidden=200)
    size, weights = to_onnx(model).ByteSize(), 4 * count_parameters(model)
    assert weights < size < weights + 30_000


def test_what_training_needs_alone_is_not_in_the_file(decoder):
    with_guess, without = (to_onnx(decoder("lstm", length_weight=weight)) for weight in (1.0, 0.0))
    assert len(with_guess.graph.initializer) == len(without.graph.initializer)


def test_a_file_knows_how_much_it_can_write(decoder, make_model, lines, tmp_path):
    for name, model, most in (("a", decoder("lstm"), 7), ("b", make_model(), 0)):
        path = tmp_path / f"{name}.onnx"
        export_model(model, path, lines, name="x", training={}, measured={})
        assert open_model(path).most == most
