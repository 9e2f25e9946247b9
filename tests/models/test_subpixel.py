"""The neck that makes several time steps of a column."""

import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.necks import NECKS
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec
from support import part


def model_with(times, backbone="glyph"):
    spec = ModelSpec(backbone=part(backbone), neck=part("subpixel", times=times))
    return build(spec, Geometry(), Charset.named("digits")).eval()


def test_steps_of_a_column_stand_side_by_side_and_begin_as_copies():
    neck = NECKS.build("subpixel", {"times": 2}, [9, 3], [8, 2])
    map_NCHW = torch.rand(2, 3, 2, 5)
    folded = map_NCHW.flatten(1, 2).transpose(1, 2)
    made = neck([torch.zeros(1), map_NCHW])
    torch.testing.assert_close(made, folded.repeat_interleave(2, 1), rtol=0, atol=0)
    with torch.no_grad():
        neck.linear.weight[6:] *= 3
    torch.testing.assert_close(neck([map_NCHW])[:, 1::2], 3 * folded)
    torch.testing.assert_close(neck([map_NCHW])[:, ::2], folded)


@pytest.mark.parametrize(("backbone", "column"), [("glyph", 4), ("micro", 4), ("vgg", 4)])
@pytest.mark.parametrize("times", [2, 4])
def test_a_model_says_its_steps_and_their_width(backbone, column, times):
    model = model_with(times, backbone)
    assert model.time_stride == column // times
    with torch.no_grad():
        assert model(torch.zeros(1, 1, 32, 64)).shape[1] == model.steps(64) >= 64 // column * times


def test_a_column_is_cut_into_whole_pixels():
    with pytest.raises(RecipeError, match="makes 3 steps of a column of 4 pixels. Allowed: a divisor of 4"):
        model_with(3)
    with pytest.raises(RecipeError, match="times"):
        model_with(1)
