"""The thin-plate spline: that it leaves alone what has no displacement, and warps as it should where it has."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.export.onnx import export_model
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters
from glyphlet.models.transforms.tps import base_points, slanted_points, tps
from glyphlet.spec import ModelSpec
from support import part

BASE = base_points(20)[None]


def images(width, channels=1, count=1):
    return torch.rand(count, channels, 32, width, generator=torch.Generator().manual_seed(width))


def test_the_published_parameters():
    """STAR-Net's total less that of FPN-B, 1,767,023 - 1,657,761, where normalisation counts four a channel."""
    statistics = 2 * (16 + 32 + 64 + 128)
    assert count_parameters(tps(3, 32, idle_layer=True)) + statistics == 109_262
    assert count_parameters(tps(3, 32)) == 109_262 - statistics - (40 * 6 + 6)


def test_the_idle_layer_is_still_and_says_so():
    layer = tps(3, 32, idle_layer=True).idle
    assert [p.requires_grad for p in layer.parameters()] == [False, False]
    assert all((p == 0).all() for p in layer.parameters())


@pytest.mark.parametrize("width", [4, 8, 100, 320])
def test_before_the_training_an_image_stays_as_it_is(width):
    x = images(width, channels=3)
    # What is left is float32: places are as exact as the image is wide.
    torch.testing.assert_close(tps(3, 32).eval()(x), x, rtol=0, atol=1e-5 * max(1, width / 100))


def test_identity_points_return_the_input_at_any_height():
    x = torch.rand(1, 2, 7, 50)
    torch.testing.assert_close(tps(2, 7).warp(x, BASE), x, rtol=0, atol=1e-5)


def test_a_shift_to_the_left_by_5_pixels():
    x = images(64)
    moved = tps(1, 32).warp(x, BASE + torch.tensor([2 * 5 / 64, 0]))
    torch.testing.assert_close(moved[..., :-5], x[..., 5:], rtol=0, atol=1e-5)
    torch.testing.assert_close(moved[..., -5:], x[..., -1:].expand(-1, -1, -1, 5))  # the edge goes on


def test_each_line_of_a_batch_has_points_of_its_own():
    x = images(64, count=2)
    shifts = torch.tensor([[[0.0, 0.0]], [[0.0, 2 * 3 / 32]]])
    moved = tps(1, 32).warp(x, BASE + shifts)
    torch.testing.assert_close(moved[0], x[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(moved[1, :, :-3], x[1, :, 3:], rtol=0, atol=1e-5)


def test_an_affine_map_is_reproduced():
    x = images(80)
    matrix = torch.tensor([[0.8, 0.1, 0.05], [-0.05, 0.6, -0.1]], dtype=torch.float64)
    points = BASE @ matrix[:, :2].T + matrix[:, 2]
    grid = F.affine_grid(matrix.float().expand(1, -1, -1), list(x.shape), align_corners=False)
    expected = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    torch.testing.assert_close(tps(1, 32).warp(x, points), expected, rtol=0, atol=1e-4)


def spline(points, base, places):
    """The textbook formula in NumPy: solve for the coefficients with their side conditions, then evaluate."""
    count = len(base)
    kernel = lambda r: np.where(r > 0, r**2 * np.log(np.maximum(r, 1e-300)), 0)  # noqa: E731
    distance = lambda a, b: np.linalg.norm(a[:, None] - b[None], axis=2)  # noqa: E731
    affine = np.hstack([np.ones((count, 1)), base])
    system = np.block([[kernel(distance(base, base)), affine], [affine.T, np.zeros((3, 3))]])
    solved = np.linalg.solve(system, np.vstack([points, np.zeros((3, 2))]))
    return np.hstack([kernel(distance(places, base)), np.ones((len(places), 1)), places]) @ solved


def test_a_bent_line_is_sampled_where_the_textbook_says():
    height, width = 32, 48
    random = np.random.default_rng(0)
    base = BASE[0].numpy()
    points = base * 0.8 + random.normal(0, 0.05, base.shape)
    points[:, 1] += 0.2 * np.sin(3 * points[:, 0])
    x, y = np.meshgrid((2 * np.arange(width) + 1) / width - 1, (2 * np.arange(height) + 1) / height - 1)
    at = spline(points, base, np.stack([x.ravel(), y.ravel()], 1))
    assert np.abs(spline(points, base, base) - points).max() < 1e-9
    assert np.abs(at).max() < 1  # so that no edge is met
    # An image that is a plane is sampled without error, and says where.
    plane = torch.from_numpy(np.stack([x, y])[None]).float()
    found = tps(2, 32).warp(plane, torch.from_numpy(points)[None])[0].flatten(1).T
    inside = (np.abs(at) < [1 - 1 / width, 1 - 1 / height]).all(1)
    assert inside.sum() > 1000
    np.testing.assert_allclose(found[inside], at[inside], atol=1e-5)


def test_the_slanted_start_of_rare():
    points = slanted_points(4).tolist()
    assert points == [[-1, 0], [1, -1], [-1, 1], [1, 0]]
    model = tps(1, 32, start="slanted").eval()
    found = model.localisation(images(40))
    torch.testing.assert_close(found, slanted_points(20).float().expand(1, -1, -1))


def test_it_learns():
    """Points follow the gradient: an image that was shifted down is brought back up."""
    torch.manual_seed(0)
    row = torch.exp(-((torch.arange(32.0) - 16) ** 2) / 30)
    target = row[None, None, :, None].expand(1, 1, 32, 64)
    shifted = target.roll(5, 2)
    model = tps(1, 32, width=4)
    model.eval()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(40):
        loss = F.mse_loss(model(shifted), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 20
    down = (model.localisation(shifted) - BASE)[0, :, 1].mean().item()
    assert down == pytest.approx(2 * 5 / 32, rel=0.2)


def test_half_precision_does_not_blur_the_places():
    model = tps(1, 32).eval()
    x = images(1000)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (model(x) - x).abs().max() < 1e-3


def test_export_at_several_widths(tmp_path):
    torch.manual_seed(0)
    spec = ModelSpec(transform=part("tps", width=4), backbone=part("micro", nh=4))
    model = build(spec, Geometry(width_step=4), Charset.named("digits"))
    torch.nn.init.normal_(model.transform.localisation.points.weight, 0, 0.1)
    torch.nn.init.normal_(model.transform.localisation.points.bias, 0, 0.2)
    random = np.random.default_rng(0)
    lines = [random.integers(0, 256, (30, width), dtype=np.uint8) for width in (5, 40, 90, 200, 900)]
    parity = export_model(model, tmp_path / "m.onnx", lines, name="m", training={}, measured={})
    assert parity.widths > 20
    assert parity.max_difference < 5e-5


@pytest.mark.parametrize(
    "options", [{"fiducials": 3}, {"fiducials": 21}, {"fiducials": 102}, {"width": 0}, {"start": "random"}]
)
def test_options_out_of_range(options):
    (name,) = options
    with pytest.raises(RecipeError, match=rf"model\.transform\.{name} is"):
        tps(1, 32, **options)


def test_the_kernel_is_0_at_a_base_point():
    from glyphlet.models.transforms.tps import _radial

    values = _radial(torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64)).tolist()
    assert values == pytest.approx([0, 0, 4 * math.log(2)], abs=1e-9)
