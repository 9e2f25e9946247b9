"""The arithmetic of `benchmarks.shrink`: ranks, intervals, differences, and which layers are cut."""

import itertools
import math

import numpy as np
import pytest
import torch
from benchmarks.shrink_runs import KEEP, Row, narrow, skipped
from benchmarks.shrink_sizes import ROWS, sizes_of
from benchmarks.shrink_study import ranks, reach, spearman, tells
from benchmarks.shrink_table import lost, page
from benchmarks.shrink_task import GEOMETRY

from glyphlet.charset import Charset
from glyphlet.compress.graph import Graph
from glyphlet.image import Geometry
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec, load_recipe


def bits_of(text: str) -> Row:
    """A row that reads the test lines of these bits."""
    right = np.array([char == "1" for char in text])
    return {"test": int(right.sum()), "test_lines": len(right), "test_right": np.packbits(right).tobytes().hex()}


class TestRankCorrelation:
    def test_equal_values_share_their_ranks(self):
        assert ranks([3, 1, 3, 2, 3]) == [4, 1, 4, 2, 4]

    def test_without_ties_it_is_the_formula_of_squared_differences(self):
        for order in itertools.permutations(range(5)):
            squares = sum((a - b) ** 2 for a, b in enumerate(order))
            assert math.isclose(spearman(range(5), order), 1 - 6 * squares / (5 * 24), abs_tol=1e-12)

    def test_with_ties_it_is_the_correlation_of_the_ranks(self):
        first, second = [1, 1, 2, 5, 3], [0.2, 0.1, 0.2, 0.9, 0.9]
        expected = np.corrcoef(ranks(first), ranks(second))[0, 1]
        assert math.isclose(spearman(first, second), expected)

    def test_a_constant_series_tells_nothing(self):
        assert spearman([1, 1, 1], [1, 2, 3]) == 0

    def test_the_interval_holds_what_it_should(self):
        """Of 400 draws of 20 pairs with a known correlation, about 95 % have it in their interval."""
        generator = np.random.default_rng(0)
        linear = 0.6
        true = 6 / math.pi * math.asin(linear / 2)  # the rank correlation of a normal pair with that linear one
        held = 0
        for _ in range(400):
            x, noise = generator.standard_normal((2, 20))
            low, high = reach(spearman(x, linear * x + math.sqrt(1 - linear**2) * noise), 20)
            held += low <= true <= high
        assert 0.92 < held / 400 < 0.98

    def test_perfect_order_has_no_interval(self):
        assert reach(1.0, 20) == (1.0, 1.0)

    def test_what_tells(self):
        rows = [{"adapted": a, "plain": p, "macs": m} for a, p, m in ((1, 0, 9), (2, 0, 8), (3, 0, 7), (4, 0, 6))]
        found = tells(rows, lambda row: row["adapted"] ** 2)
        assert [(name, value) for name, value, _, _ in found] == [
            ("accuracy after adaptation", 1), ("accuracy without adaptation", 0), ("multiply-adds", -1),
        ]  # fmt: skip


class TestTables:
    def test_points_lost_are_paired(self):
        before, after = bits_of("11111110"), bits_of("11111001")
        gaps = [0, 0, 0, 0, 0, 100, 100, -100]
        half = 1.96 * np.std(gaps, ddof=1) / 8**0.5
        assert lost(after, before) == f"{100 / 8:+.2f} [{100 / 8 - half:+.2f}, {100 / 8 + half:+.2f}]"
        assert lost(before, before) == lost(before, None) == ""

    def test_a_page_of_nothing_and_of_some(self):
        assert page([]).startswith("# What shrinking costs\n")
        row = {
            "part": "grid", "name": "narrow-l1-90-1", "criterion": "l1", "share": 0.9, "seed": 1, "macs": 7_000_000, "adapted": 0.5,
            "train": 0.6, "validation": 0.75, "date": "2026-11-22",
        } | bits_of("1110")  # fmt: skip
        other = row | {"name": "narrow-fpgm-90-1", "criterion": "fpgm", "validation": 0.85} | bits_of("1111")
        text = page([row, other])
        assert " 2 of 2 models are not converged" in text
        assert "(at most 0.60)" in text
        assert "| 90% | l1 | 7.0 | 0.500 | 0.750 | 0.750 [" in text
        assert "| 90% | l1 | +0.100 | +0.250 [-0.240, +0.740] | none |" in text  # one seed claims nothing


def test_sixteen_rows_with_published_figures():
    assert len(set(ROWS)) == 16
    assert all({"score", "model_mb", "parameters"} <= load_recipe(name).published.keys() for name in ROWS)


def test_a_file_is_smaller_with_fewer_bits():
    sizes = sizes_of(load_recipe("micro-nh2"))
    assert sizes["float32"] > sizes["float16"] > sizes["int8"] > 2 * 3938


def test_what_the_neck_reads_and_the_inner_layers_of_se_stay():
    names = ("backbone.stem.0.0", "backbone.stages.0.0.body.2.squeeze", KEEP, "neck.rnn")
    assert skipped(Graph(dict.fromkeys(names), {})) == ["backbone.stages.0.0.body.2.squeeze", KEEP]


@pytest.mark.slow
def test_the_narrow_network_has_a_quarter_of_the_channels():
    torch.manual_seed(0)
    model = build(ModelSpec.model_validate(narrow()), Geometry(**GEOMETRY), Charset.named("digits"))
    groups = Graph.of(model).groups
    assert groups["backbone.stem.0.0"].size == 8
    assert groups[KEEP].size == 128
    assert groups["neck.rnn"].size == 64
