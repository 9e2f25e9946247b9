"""Small models with random weights and statistics, and lines to read."""

import numpy as np
import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec, PartSpec


@pytest.fixture
def make_model():
    def make(neck="fold", **geometry):
        torch.manual_seed(0)
        spec = ModelSpec(backbone=PartSpec(name="micro", nh=2), neck=PartSpec(name=neck))
        model = build(spec, Geometry(**geometry), Charset.named("digits"))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):  # so that folding it is not folding an identity
                torch.nn.init.normal_(module.running_mean)
                torch.nn.init.uniform_(module.running_var, 0.5, 2)
        return model

    return make


@pytest.fixture
def lines():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (30, width), dtype=np.uint8) for width in (40, 90, 90, 120, 200)]
