"""A thin-plate spline that straightens a line before it is read: a small network says where its upper and lower edge are.

Source: the spatial transformer of RARE (Shi et al. 2016, arXiv 1603.03915) and STAR-Net (Liu et al. 2016), with the small
localisation network of PaddleOCR and lightweight-OCR.

    image -> localisation network -> K fiducial points -> for each pixel of the output a place in the input -> bilinear sample

Coordinates run from -1 to 1 from edge to edge, whatever the size of the image: so a line keeps its own width, and the
places are worked out for that width. Half of the base points lie along the upper edge, half along the lower one. The
spline is the smoothest map that takes each base point to its fiducial point. It reproduces affine maps, so only the
displacements go through it: points without displacement give the image back.

Two things differ from the source. It measured places from pixel centres but sampled as if -1 and 1 were centres of
pixels, so that its identity blurred the image a little. And it sampled grey from beyond the edges; here the edge goes on.

Read it in this order: `Localisation`, `_radial`, `TPS`, `tps`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.layers.conv import conv_bn
from glyphlet.models.options import one_of, within
from glyphlet.models.transforms import TRANSFORMS


def _edges(count: int, upper: tuple[float, float], lower: tuple[float, float]) -> torch.Tensor:
    """`count` points (x, y), float64: half from left to right on a line of these heights, half on another."""
    x = torch.linspace(-1, 1, count // 2, dtype=torch.float64)
    rows = [torch.stack([x, torch.linspace(*y, count // 2, dtype=torch.float64)], 1) for y in (upper, lower)]
    return torch.cat(rows)


def base_points(count: int) -> torch.Tensor:
    """The points of the straightened image, float64 (K, 2): its upper and its lower edge."""
    return _edges(count, (-1, -1), (1, 1))


def slanted_points(count: int) -> torch.Tensor:
    """RARE's first fiducial points, its figure 6 (a): a band half as high as the image that rises to the right."""
    return _edges(count, (0, -1), (1, 0))


class Localisation(nn.Module):
    """Images to fiducial points: four convolutions, their mean, two linear layers."""

    def __init__(self, in_channels: int, width: int, first_points: torch.Tensor) -> None:
        super().__init__()
        sizes = [in_channels, width, 2 * width, 4 * width, 8 * width]
        self.convs = nn.ModuleList(
            conv_bn(inputs, outputs, 3, activation="relu") for inputs, outputs in pairwise(sizes)
        )
        # ceil_mode only matters for lines narrower than 8 pixels, of which the source had none.
        self.pool = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.hidden = nn.Linear(8 * width, 4 * width)
        self.points = nn.Linear(4 * width, first_points.numel())
        nn.init.zeros_(self.points.weight)
        with torch.no_grad():
            self.points.bias.copy_(first_points.flatten())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to points (N, K, 2), each x and y."""
        for number, conv in enumerate(self.convs):
            x = conv(x)
            x = self.pool(x) if number < 3 else x.mean((2, 3))
        with torch.autocast(x.device.type, enabled=False):  # at half precision a place is wrong by half a pixel
            return self.points(self.hidden(_full(x)).relu()).unflatten(1, (-1, 2))


def _full(x: torch.Tensor) -> torch.Tensor:
    """x in single precision, or double if it was."""
    return x if x.dtype == torch.float64 else x.float()


def _radial(squared: torch.Tensor) -> torch.Tensor:
    """The kernel of the thin-plate spline, r² log r, of squared distances; 0 where they are 0."""
    return 0.5 * squared * squared.clamp(min=1e-12).log()


class TPS(nn.Module):
    """Straighten images with as many fiducial points."""

    def __init__(self, in_channels: int, fiducials: int, width: int, first_points: torch.Tensor) -> None:
        super().__init__()
        self.localisation = Localisation(in_channels, width, first_points)
        # Plain attributes, for buffers would lose their precision with the rest of the model.
        self._base_K2 = base_points(fiducials)
        self._solve_SK = _solver(self._base_K2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        points = self.localisation(x)
        with torch.autocast(x.device.type, enabled=False):
            return self.warp(_full(x), points)

    def warp(self, x_NCHW: torch.Tensor, points_NK2: torch.Tensor) -> torch.Tensor:
        """Sample images so that what lies at the fiducial points comes to lie at the base points; shape kept."""
        height, width = x_NCHW.shape[2:]
        # The terms of a spline are large and nearly cancel: in float32 two engines would differ by a hundredth of a pixel.
        exact: Any = {"device": x_NCHW.device, "dtype": torch.float32 if x_NCHW.is_mps else torch.float64}
        base_K2, solve_SK = self._base_K2.to(**exact), self._solve_SK.to(**exact)
        x_W, y_H = _centres(width, exact), _centres(height, exact)
        places_HW2 = torch.stack([x_W.expand(height, -1), y_H[:, None].expand(-1, width)], 2)
        moved_NS2 = solve_SK @ (points_NK2.to(**exact) - base_K2)
        squared_HWK = (x_W[:, None] - base_K2[:, 0]) ** 2 + ((y_H[:, None] - base_K2[:, 1]) ** 2)[:, None]
        terms_HWS = torch.cat([_radial(squared_HWK), torch.ones_like(places_HW2[..., :1]), places_HW2], 2)
        grid_NHW2 = places_HW2 + (terms_HWS.flatten(0, 1) @ moved_NS2).unflatten(1, (height, width))
        return F.grid_sample(x_NCHW, grid_NHW2.to(x_NCHW.dtype), padding_mode="border", align_corners=False)


def _centres(count: int, exact: Any) -> torch.Tensor:
    """The centres of so many pixels between -1 and 1."""
    return (2 * torch.arange(count, **exact) + 1) / count - 1


def _solver(base_K2: torch.Tensor) -> torch.Tensor:
    """From displacements of the base points to the coefficients of the spline: (S = K + 3, K), float64."""
    count = len(base_K2)
    affine = torch.cat([torch.ones(count, 1, dtype=base_K2.dtype), base_K2], 1)
    system = torch.zeros(count + 3, count + 3, dtype=base_K2.dtype)
    system[:count, :count] = _radial(((base_K2[:, None] - base_K2) ** 2).sum(2))
    system[:count, count:] = affine
    system[count:, :count] = affine.T
    return torch.linalg.inv(system)[:, :count]


@TRANSFORMS.register
def tps(
    channels: int,
    height: int,
    *,
    fiducials: int = 20,
    width: int = 16,
    start: Literal["identity", "slanted"] = "identity",
    idle_layer: bool = False,
) -> TPS:
    """Thin-plate spline: a small network finds the edges of the text and straightens it.

    Args:
        channels: of the images.
        height: of the images; any will do.
        fiducials: points along the upper and lower edge together, even, 4 to 100.
        width: channels of the localisation network's first convolution, 1 to 512; 16 is the source's small network, 64 its
            large one.
        start: where the points lie before the training: on the edges of the image, or as in RARE's figure 6 (a).
        idle_layer: the source's linear layer of zeros, which was never trained and has no effect, for its parameters.

    Raises:
        RecipeError: an option is out of range.
    """
    within("model.transform.fiducials", fiducials, 4, 100)
    within("model.transform.width", width, 1, 512)
    one_of("model.transform.start", start, _STARTS)
    if fiducials % 2:
        raise RecipeError(
            f"model.transform.fiducials is {fiducials}, which two edges cannot share",
            allowed="an even number",
            next_step=f"set model.transform.fiducials to {fiducials + 1}",
        )
    made = TPS(channels, fiducials, width, _STARTS[start](fiducials))
    if idle_layer:
        made.idle = nn.Linear(2 * fiducials, 6).requires_grad_(False)
        nn.init.zeros_(made.idle.weight)
        nn.init.zeros_(made.idle.bias)
    return made


_STARTS = {"identity": base_points, "slanted": slanted_points}
