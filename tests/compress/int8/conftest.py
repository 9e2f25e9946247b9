"""Models with statistics as a training leaves them, and lines for them."""

import numpy as np
import onnx
import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.export.onnx import export_model, to_onnx
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec


def noisy(count, channels=1, height=32):
    """Lines of even and uneven grey, uint8 (H, W) or (H, W, 3)."""
    random = np.random.default_rng(3)
    shapes = [(height, 48 + 16 * (i % 4), *([3] if channels == 3 else [])) for i in range(count)]
    return [random.integers(0, 256, shape, dtype=np.uint8) // (1 + i % 3) for i, shape in enumerate(shapes)]


def shaken(model, seed=0):
    """A model whose normalisations are not those of the start: other means, other scales, of both signs."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(like, low, high):
        return low + (high - low) * torch.rand(like.shape, generator=generator)

    for name, value in model.state_dict().items():
        if name.endswith("running_var"):
            value.copy_(drawn(value, 0.5, 2))
        elif name.endswith("running_mean"):
            value.copy_(drawn(value, -0.5, 0.5))
    for name, value in model.named_parameters():
        if name.endswith((".1.weight", "norm.weight", ".bias")) and value.dim() == 1:
            value.data.copy_(drawn(value, -1, 1.5))
    return model.eval()


@pytest.fixture(scope="session")
def model_of():
    """Builds a shaken model: model_of({"backbone": part("micro", nh=8)})."""

    def made(parts, **geometry):
        torch.manual_seed(1)
        return shaken(build(ModelSpec(**parts), Geometry(**geometry), Charset.named("digits")))

    return made


@pytest.fixture(scope="session")
def graph_of():
    return lambda model: onnx.load_from_string(to_onnx(model).SerializeToString())


@pytest.fixture(scope="session")
def images():
    """(1, 1, 32, W) as a graph takes them, 24 of them."""
    return [((line.astype(np.float32) - 128) / 64)[None, None] for line in noisy(24)]


@pytest.fixture(scope="session")
def lines():
    return noisy


@pytest.fixture
def file_of(tmp_path):
    """Writes a model as a model file."""

    def made(model, name="model.onnx", weights="float32"):
        path = tmp_path / name
        sources = noisy(20, model.geometry.channels, model.geometry.height)
        export_model(model, path, sources, name="tiny", training={}, measured={}, weights=weights)
        return path

    return made
