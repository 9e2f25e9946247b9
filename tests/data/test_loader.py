import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.data.check import check_lines
from glyphlet.data.labelfile import read_label_file
from glyphlet.data.loader import LineLoader, plan
from glyphlet.effects.shift import shift
from glyphlet.image import Geometry, prepare, scale

GEOMETRY = Geometry()


@pytest.fixture
def lines(line_folder):
    codec = CTCCodec(Charset.named("digits"))
    return check_lines(read_label_file(line_folder / "labels.txt"), codec, GEOMETRY, lambda w: w // 4)[0]


@given(st.lists(st.sampled_from([32, 40, 64]), min_size=1, max_size=80), st.integers(1, 20), st.integers(0, 3))
def test_a_plan_holds_every_line_once_in_batches_of_one_width(widths, batch, epoch):
    batches = plan(widths, batch, 7, epoch)
    assert sorted(int(i) for b in batches for i in b) == list(range(len(widths)))
    for members in batches:
        assert len({widths[i] for i in members}) == 1
        assert 1 <= len(members) <= batch
    again = plan(widths, batch, 7, epoch)
    assert all((a == b).all() for a, b in zip(batches, again, strict=True))
    assert len(batches) == len(plan(widths, batch, None))


def test_epochs_differ():
    orders = {tuple(int(i) for b in plan([32] * 20, 4, 1, epoch) for i in b) for epoch in range(4)}
    assert len(orders) == 4


def test_batches_hold_what_image_prepares(lines):
    loader = LineLoader(lines, GEOMETRY, batch=5, seed=3)
    seen = 0
    for batch in loader.epoch(2):
        for image, line, labels in zip(batch.images, batch.lines, batch.labels, strict=True):
            expected = scale(prepare(line.sample.source, GEOMETRY).pixels, GEOMETRY)
            assert (image.numpy() == expected).all()
            assert labels == line.labels
            seen += 1
    assert seen == 12
    assert loader.waited > 0


@pytest.mark.parametrize("options", [{"workers": 2}, {"cache_mb": 0}, {"workers": 2, "cache_mb": 0}])
def test_workers_and_cache_change_nothing(lines, options):
    effects = [shift(pixels=3)]
    plain = list(LineLoader(lines, GEOMETRY, batch=5, seed=3, effects=effects).epoch(1))
    other = list(LineLoader(lines, GEOMETRY, batch=5, seed=3, effects=effects, **options).epoch(1))
    assert len(plain) == len(other)
    for a, b in zip(plain, other, strict=True):
        assert torch.equal(a.images, b.images)
        assert a.labels == b.labels


def test_an_epoch_can_begin_in_its_middle(lines):
    loader = LineLoader(lines, GEOMETRY, batch=2, seed=3, effects=[shift(pixels=3)])
    whole, rest = list(loader.epoch(4)), list(loader.epoch(4, start=3))
    assert len(whole) == len(loader) == 6
    assert all(torch.equal(a.images, b.images) for a, b in zip(whole[3:], rest, strict=True))


def test_effects_differ_by_epoch(lines):
    loader = LineLoader(lines, GEOMETRY, batch=12, seed=3, effects=[shift(pixels=8)])
    images = [
        {b.lines[i].text: b.images[i].sum().item() for b in loader.epoch(e) for i in range(len(b.lines))}
        for e in (0, 1)
    ]
    assert images[0] != images[1]


def test_processes_share_an_epoch_evenly(lines):
    loader = LineLoader(lines, GEOMETRY, batch=2, seed=3)
    parts = [[line.text for b in loader.epoch(0, rank=r, ranks=4) for line in b.lines] for r in range(4)]
    assert {text for part in parts for text in part} == {f"{i:02d}" for i in range(12)}
    assert len({len(list(loader.epoch(0, rank=r, ranks=4))) for r in range(4)}) == 1


def test_channels_last(lines):
    batch = next(LineLoader(lines, GEOMETRY, batch=4, seed=None).epoch())
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert batch.images.dtype == torch.float32
    assert np.isfinite(batch.images.numpy()).all()
