"""The micro network against its published facts (MicroOCR, commit 854468c)."""

import pytest
import torch

from glyphlet.errors import RecipeError
from glyphlet.models.summary import count_parameters, multiply_adds, part_costs, pth_kilobytes
from support import micro, part

# nh, recurrent layer, parameters, kB of the published .pth, epochs to its word accuracy
PUBLISHED = [
    (2, False, 1_224, 17), (4, False, 2_402, 22), (8, False, 4_806, 31), (8, True, 29_894, 130),
    (16, False, 9_806, 53), (16, True, 47_310, 199), (32, False, 20_574, 95), (32, True, 82_910, 338),
    (64, False, 45_182, 193), (64, True, 157_182, 630), (128, False, 106_686, 438), (128, True, 318_014, 1_261),
    (256, False, 278_846, 1_119), (256, True, 688_830, 2_714), (512, False, 819_774, 3_250), (512, True, 1_627_070, 6_389),
    (1024, False, 2_688_062, 10_584), (1024, True, 4_289_982, 16_811),
]  # fmt: skip
CHARS_62 = "".join(chr(0x100 + i) for i in range(62))
CHARS_61 = CHARS_62[:-1]


def network(nh: int, recurrent: bool, chars: str):
    neck = part("bilstm", hidden=32) if recurrent else part("fold")
    return micro(chars, nh=nh, depth=2, neck=neck, channels=3)


@pytest.mark.parametrize(("nh", "recurrent", "parameters", "kilobytes"), PUBLISHED)
def test_the_published_rows(nh, recurrent, parameters, kilobytes):
    # The table counts 62 classes, that is, 61 characters and the blank.
    model = network(nh, recurrent, CHARS_61)
    assert count_parameters(model) == parameters
    # The published files hold the 63 classes that were really trained. What a .pth holds besides its tensors depends on
    # the version of torch, the length of the file's name (it stands in every entry of the zip) and of the weights' names.
    assert abs(pth_kilobytes(network(nh, recurrent, CHARS_62)) - kilobytes) <= 3


@pytest.mark.parametrize(("nh", "depth", "bias"), [(3, 0, True), (5, 1, False), (8, 3, True)])
def test_the_closed_form(nh, depth, bias):
    model = micro("ab", nh=nh, neck=part("fold"), channels=3)
    spec = model.spec.model_copy(update={"backbone": part("micro", nh=nh, depth=depth, bias=bias)})
    from glyphlet.models.recognizer import build

    count = count_parameters(build(spec, model.geometry, model.codec.charset).backbone)
    assert count == (51 * nh + depth * (nh * nh + 15 * nh) if bias else 50 * nh + depth * (nh * nh + 13 * nh))


def test_multiply_adds_by_hand():
    model = network(16, False, CHARS_62)
    stem, block, head = 32 * 8 * 16 * 48, 32 * 8 * 16 * (9 + 16), 32 * 128 * 63
    assert [c.multiply_adds for c in part_costs(model, 128)] == [stem + 2 * block, 0, head]
    assert multiply_adds(model, 256) == 2 * multiply_adds(model, 128)
    recurrent = network(16, True, CHARS_62)
    lstm = 2 * 4 * 32 * (128 + 32)
    assert part_costs(recurrent, 128)[1].multiply_adds == 32 * lstm


def test_shapes_and_time_stride():
    model = micro(nh=4, channels=1, height=48, width_step=8)
    assert model.time_stride == 4
    assert model(torch.zeros(2, 1, 48, 40)).shape == (2, 10, 11)
    assert model.steps(40) == 10


def test_folding_is_channel_major():
    from glyphlet.models.necks.fold import fold_rows

    x = torch.arange(2 * 3 * 4).reshape(1, 2, 3, 4)
    assert fold_rows(x)[0, 1].tolist() == [1, 5, 9, 13, 17, 21]


@pytest.mark.parametrize("neck", ["bilstm", "bigru", "gru"])
def test_the_recurrence_runs_over_time_and_not_over_the_batch(neck):
    torch.manual_seed(0)
    model = micro(neck=part(neck, hidden=5)).eval()
    x = torch.randn(3, 1, 32, 64)
    alone, together = model(x[1:2]), model(x)[1:2]
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-5)
    changed = x[1:2].clone()
    changed[..., :4] += 1  # only the first of 16 steps
    far = (model(changed) - alone)[0, 8:].abs().max()
    assert far > 0  # beyond the view of the convolutions, only the recurrence can tell


def test_steps_alone_know_nothing_of_each_other():
    torch.manual_seed(0)
    model = micro(neck=part("bilstm", hidden=5, over="step")).eval()
    x = torch.randn(1, 1, 32, 64)
    changed = x.clone()
    changed[..., :4] += 1
    difference = (model(changed) - model(x))[0].abs().amax(1)
    assert (difference[4:] == 0).all()
    assert difference[0] > 0


@pytest.mark.parametrize(
    ("options", "message"), [({"nh": 0}, r"backbone\.nh is 0"), ({"depth": -1}, r"backbone\.depth is -1")]
)
def test_impossible_sizes_are_refused(options, message):
    with pytest.raises(RecipeError, match=message):
        micro(**options)


def test_unknown_parts_and_options_name_the_nearest():
    with pytest.raises(RecipeError, match=r"no neck named 'bilst' \(did you mean 'bilstm'\?\)"):
        micro(neck=part("bilst"))
    with pytest.raises(RecipeError, match=r"no option 'hiden' \(did you mean 'hidden'\?\)"):
        micro(neck=part("bilstm", hiden=3))


def test_a_height_that_the_backbone_cannot_divide_is_refused():
    with pytest.raises(RecipeError, match=r"image\.height is 30.*a multiple of 4.*set image\.height to 32"):
        micro(height=30)
