"""Shared layers against values worked out by hand."""

import math

import pytest
import torch
from torch import nn

from glyphlet.models.layers.activation import ACTIVATIONS, AconC, MetaAconC, acon, activation_layer, hard_sigmoid
from glyphlet.models.layers.attention import CoordinateAttention, SqueezeExcitation
from glyphlet.models.layers.blurpool import BlurPool, max_blur_pool
from glyphlet.models.layers.conv import conv_bn


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def hard_swish(x):
    return x * min(max(x + 3, 0), 6) / 6


def set_to(layer, weights, bias=0.0):
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights, dtype=torch.float32).reshape(layer.weight.shape))
        layer.bias.fill_(bias)


class TestHardSigmoid:
    def test_its_slope_is_a_fifth(self):
        x = torch.tensor([-9, -2.5, -1, 0, 1, 2.4, 2.5, 9])
        assert hard_sigmoid(x).tolist() == pytest.approx([0, 0, 0.3, 0.5, 0.7, 0.98, 1, 1])

    def test_that_of_torch_is_another(self):
        x = torch.tensor([1.0])
        assert float(nn.functional.hardsigmoid(x)) == pytest.approx(2 / 3)


class TestAcon:
    x = torch.linspace(-3, 3, 13).reshape(1, 1, 1, 13)

    def of(self, p1, p2, beta):
        return acon(self.x, torch.tensor([p1]), torch.tensor([p2]), torch.tensor([[[float(beta)]]]))

    def test_beta_0_is_the_mean_of_the_lines(self):
        torch.testing.assert_close(self.of(2.0, -1.0, 0), self.x / 2)

    def test_a_large_beta_is_the_larger_line(self):
        torch.testing.assert_close(self.of(2.0, -1.0, 1e4), torch.maximum(2 * self.x, -self.x))
        torch.testing.assert_close(self.of(0.25, 1.0, 1e4), torch.maximum(0.25 * self.x, self.x))

    def test_a_value(self):
        expected = 3 * 2 * sigmoid(0.5 * 3 * 2) - 1 * 2
        assert float(acon(*(torch.tensor([v]) for v in (2.0, 2.0, -1.0, 0.5)))) == pytest.approx(expected)

    def test_it_starts_as_a_swish(self):
        x = torch.randn(2, 3, 4, 5)
        torch.testing.assert_close(AconC(3)(x), nn.functional.silu(x))

    def test_each_channel_has_a_beta_of_its_own(self):
        layer = AconC(2)
        with torch.no_grad():
            layer.beta.copy_(torch.tensor([0.0, 1e4]))
        x = torch.randn(1, 2, 3, 3)
        torch.testing.assert_close(layer(x), torch.stack([x[:, 0] / 2, x[:, 1].relu()], 1))


class TestMetaAcon:
    def test_beta_is_made_of_the_mean_of_each_image(self):
        layer = MetaAconC(1).eval()
        set_to(layer.squeeze, [1.0] * 16)  # 16 times the mean
        set_to(layer.expand, [0.25] * 16, bias=-1.0)  # 4 mean - 1
        for norm in (layer.squeeze_norm, layer.expand_norm):
            norm.eps = 0.0
        x = torch.tensor([[0.0, 1.0], [2.0, -1.0]])[:, None, None, :]
        expected = [
            [[v * sigmoid(beta * v) for v in row]] for row, beta in (([0, 1], sigmoid(1)), ([2, -1], sigmoid(1)))
        ]
        torch.testing.assert_close(layer(x), torch.tensor(expected)[:, :, None, :].reshape(2, 1, 1, 2))

    @pytest.mark.parametrize(("channels", "middle"), [(8, 16), (256, 16), (576, 36)])
    def test_its_parameters(self, channels, middle):
        count = sum(p.numel() for p in MetaAconC(channels).parameters())
        two_layers = channels * middle + middle + middle * channels + channels
        assert count == 2 * channels + two_layers + 2 * middle + 2 * channels

    def test_a_batch_of_one_line_trains_with_the_running_statistics(self):
        """Lines of equal width share a batch, so one may stand alone; there is no variance of one value."""
        layer = MetaAconC(4)
        before = {k: v.clone() for k, v in layer.state_dict().items()}
        x = torch.randn(1, 4, 2, 5)
        trained = layer.train()(x)
        assert all(torch.equal(v, before[k]) for k, v in layer.state_dict().items())
        torch.testing.assert_close(trained, layer.eval()(x))
        layer.train()(torch.randn(3, 4, 2, 5))
        assert not torch.equal(layer.squeeze_norm.running_mean, before["squeeze_norm.running_mean"])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_keeps_the_shape_and_leaves_0_at_0(name):
    layer = activation_layer(name, 6).eval()
    assert layer(torch.zeros(2, 6, 3, 4)).abs().max() == 0
    x = torch.full((1, 6, 1, 1), 50.0)
    assert layer(x).min() > 24  # and grows with large values: the least is half of them, where beta is 0


class TestSqueezeExcitation:
    def test_by_hand(self):
        layer = SqueezeExcitation(4)
        set_to(layer.squeeze, [1.0] * 4, bias=-8.0)
        set_to(layer.expand, [1.0, 2.0, -10.0, 0.0])
        x = torch.tensor([[1.0, 3.0], [0.0, 4.0], [3.0, 3.0], [4.0, 2.0]])[None, :, None, :]
        # means 2, 2, 3, 3 sum to 10; squeezed to 10 - 8 = 2; hard sigmoids of 2, 4, -20, 0
        expected = x * torch.tensor([0.9, 1.0, 0.0, 0.5])[:, None, None]
        torch.testing.assert_close(layer(x), expected)

    def test_each_image_has_weights_of_its_own(self):
        layer = SqueezeExcitation(8)
        x = torch.randn(3, 8, 2, 5)
        torch.testing.assert_close(layer(x)[1:2], layer(x[1:2]))


class TestCoordinateAttention:
    def test_by_hand(self):
        layer = CoordinateAttention(1).eval()
        conv, norm, _ = layer.squeeze
        norm.eps = 0.0
        set_to(conv, [1.0] + [0.0] * 7)
        set_to(layer.rows, [1.0] + [0.0] * 7)
        set_to(layer.columns, [-2.0] + [0.0] * 7, bias=0.5)
        x = torch.tensor([[[[1.0, 2.0, 3.0], [3.0, 6.0, -3.0]]]])
        rows = [sigmoid(hard_swish(2)), sigmoid(hard_swish(2))]
        assert x.mean(3).flatten().tolist() == [2, 2]
        columns = [sigmoid(0.5 - 2 * hard_swish(mean)) for mean in (2, 4, 0)]
        expected = [[x[0, 0, i, j].item() * rows[i] * columns[j] for j in range(3)] for i in range(2)]
        torch.testing.assert_close(layer(x), torch.tensor(expected)[None, None])

    def test_rows_and_columns_are_not_swapped(self):
        layer = CoordinateAttention(1).eval()
        set_to(layer.squeeze[0], [1.0] * 8)
        set_to(layer.rows, [1.0] * 8)
        set_to(layer.columns, [0.0] * 8, bias=100.0)  # columns do nothing
        x = torch.tensor([[[[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]]])
        rows = layer(x) / x
        assert rows[0, 0, 0, 0] > 0.9
        assert rows[0, 0, 1, 0] < 0.1
        torch.testing.assert_close(rows[..., :1].expand_as(rows), rows)

    @pytest.mark.parametrize(("channels", "middle"), [(16, 8), (256, 8), (576, 18)])
    def test_its_parameters(self, channels, middle):
        count = sum(p.numel() for p in CoordinateAttention(channels).parameters())
        assert count == channels * middle + middle + 2 * middle + 2 * (middle * channels + channels)


class TestBlurPool:
    @pytest.mark.parametrize("shape", [(1, 159), (2, 160), (7, 5), (1, 1)])
    def test_it_keeps_a_constant(self, shape):
        pooled = BlurPool(3)(torch.full((2, 3, *shape), 1.7))
        assert pooled.shape == (2, 3, (shape[0] + 1) // 2, (shape[1] + 1) // 2)
        torch.testing.assert_close(pooled, torch.full_like(pooled, 1.7))

    def test_a_point_is_spread_by_the_binomial_window(self):
        x = torch.zeros(1, 2, 6, 6)
        x[0, 1, 2, 3] = 64.0
        pooled = BlurPool(2)(x)
        assert pooled[0, 0].abs().max() == 0  # channels do not mix
        # Output i sees rows 2i - 1 to 2i + 2 with weights 1 3 3 1.
        assert pooled[0, 1].tolist() == [[0, 3, 1], [0, 9, 3], [0, 0, 0]]

    def test_borders_are_repeated(self):
        pooled = BlurPool(1)(torch.tensor([8.0, 0.0, 0.0, 8.0])[None, None, None])
        assert pooled.flatten().tolist() == [8 * (1 + 3) / 8, 8 * (3 + 1) / 8]

    def test_with_the_maximum_even_sizes_are_halved(self):
        x = torch.zeros(1, 1, 2, 8)
        x[0, 0, 1, 4] = 8.0
        # maxima of stride 1 are 8 in columns 3 and 4 of seven, whose only row is repeated
        assert max_blur_pool(1)(x).tolist() == [[[[0, 4, 4, 0]]]]

    def test_it_is_no_weight(self):
        layer = BlurPool(4)
        assert not list(layer.parameters())
        assert not layer.state_dict()
        assert layer.multiply_adds(torch.zeros(1, 4, 1, 80)) == 4 * 80 * 16


class TestConvBn:
    @pytest.mark.parametrize(("kernel", "groups", "fan_in"), [(3, 1, 288), (1, 1, 32), (5, 32, 25)])
    def test_weights_start_after_he(self, kernel, groups, fan_in):
        torch.manual_seed(0)
        conv, norm = conv_bn(32, 256, kernel, groups=groups)
        assert float(conv.weight.detach().std()) == pytest.approx(math.sqrt(2 / fan_in), rel=0.05)
        assert conv.bias is None
        assert (norm.weight.unique().tolist(), norm.bias.unique().tolist()) == ([1], [0])

    @pytest.mark.parametrize("stride", [1, 2, (2, 1), (4, 1)])
    def test_sizes_are_divided_by_the_stride(self, stride):
        down, across = stride if isinstance(stride, tuple) else (stride, stride)
        layers = conv_bn(3, 5, 3, stride=stride, activation="hswish").eval()
        assert layers(torch.zeros(1, 3, 8, 16)).shape == (1, 5, 8 // down, 16 // across)
