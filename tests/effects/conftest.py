"""Lines of text to try effects on: grey or RGB, dark or light ink, even or rough ground."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet.effects import build_effects
from support import part


def text_line(text="Glyphs 42", channels=1, height=32, width=160, paper=230, ink=30, rough=0):
    """uint8 (C, H, W)."""
    image = Image.new("L", (width, height), 0)
    ImageDraw.Draw(image).text((12, height // 8), text, fill=255, font=ImageFont.load_default(height * 0.65))
    share = np.asarray(image, np.float32) / 255
    ground = paper + np.random.default_rng(1).normal(0, rough, share.shape) if rough else paper
    grey = ground * (1 - share) + ink * share
    tints = np.linspace(1, 0.9, channels)[:, None, None]
    return np.clip(np.rint(grey * tints), 0, 255).astype(np.uint8)


@pytest.fixture
def line():
    return text_line


@pytest.fixture
def built():
    """Builds an effect as a recipe does: built("jpeg", quality=30)."""

    def build(name, **options):
        (effect,) = build_effects([part(name, **options)])
        return effect

    return build
