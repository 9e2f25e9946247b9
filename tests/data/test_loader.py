import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.data.check import CheckedLines, check_lines
from glyphlet.data.labelfile import read_label_file
from glyphlet.data.lineset import ListedLines
from glyphlet.data.loader import LineLoader, Share, choose_workers
from glyphlet.data.prepare import Endless, Preparer
from glyphlet.errors import TrainingError
from glyphlet.image import Geometry, prepare, scale
from glyphlet.spec import SynthSpec
from glyphlet.synth.render import RenderedSet
from support import part

GEOMETRY = Geometry()
CODEC = CTCCodec(Charset.named("digits"))
SHIFT = [part("shift", pixels=3)]


@pytest.fixture
def lines(line_folder):
    return check_lines(read_label_file(line_folder / "labels.txt"), CODEC, GEOMETRY, lambda w: w // 4)[0]


def endless(count=20, **spec):
    spec = SynthSpec(count=count, endless=True, min_length=1, max_length=4, spacing="proportional", **spec)
    return [Endless(RenderedSet(spec, CODEC.charset, "train"), CODEC)]


def nothing():
    return CheckedLines(ListedLines([]), CODEC, np.zeros(0, np.int64), np.zeros(0, np.int32))


def equal(one, other):
    assert [len(update) for update in one] == [len(update) for update in other]
    for a, b in zip([b for u in one for b in u], [b for u in other for b in u], strict=True):
        assert torch.equal(a.images, b.images)
        assert (a.labels, a.texts, a.numbers) == (b.labels, b.texts, b.numbers)


def test_batches_hold_what_image_prepares(lines):
    loader = LineLoader(lines, GEOMETRY, batch=5, seed=3)
    seen = []
    for update in loader.epoch(2):
        for batch in update:
            for image, number, labels, text in zip(batch.images, batch.numbers, batch.labels, batch.texts, strict=True):
                expected = scale(prepare(lines[number].sample.source, GEOMETRY).pixels, GEOMETRY)
                assert (image.numpy() == expected).all()
                assert (labels, text) == (lines[number].labels, lines[number].text)
                seen.append(number)
    assert sorted(seen) == list(range(12))
    assert loader.waited > 0


@pytest.mark.parametrize("options", [{"workers": 2}, {"cache_mb": 0}, {"workers": 1, "cache_mb": 0}])
def test_workers_and_cache_change_nothing(lines, options):
    shared = {"batch": 5, "seed": 3, "effects": SHIFT, "endless": endless()}
    loader = LineLoader(lines, GEOMETRY, **shared, **options)
    try:
        for epoch in (1, 2):
            plain = list(LineLoader(lines, GEOMETRY, **shared).epoch(epoch))
            equal(plain, list(loader.epoch(epoch)))
    finally:
        loader.close()


def test_a_worker_that_dies_is_told_of(lines, monkeypatch):
    loader = LineLoader(lines, GEOMETRY, batch=5, workers=1)
    list(loader.epoch(0))
    for process in loader._pool._processes.values():
        process.kill()
        process.join()
    with pytest.raises(TrainingError, match=r"has died.*workers: 0 .*--resume.*train\.workers=0"):
        list(loader.epoch(1))
    loader.close()


@pytest.mark.parametrize("rendered", [False, True])
def test_an_epoch_can_begin_in_its_middle(lines, rendered):
    loader = LineLoader(lines, GEOMETRY, batch=2, seed=3, effects=SHIFT, endless=endless(300) if rendered else [])
    whole = list(loader.epoch(4))
    assert len(whole) == len(loader) == (156 if rendered else 6)
    for start in (3, len(whole) - 2):
        equal(whole[start:], list(loader.epoch(4, start=start)))


def test_every_epoch_has_new_rendered_lines():
    loader = LineLoader(nothing(), GEOMETRY, batch=8, endless=endless())
    texts = [[t for u in loader.epoch(e) for b in u for t in b.texts] for e in (0, 1, 0)]
    assert len(texts[0]) == 20
    assert sorted(texts[0]) == sorted(texts[2]) != sorted(texts[1])


def test_rendered_lines_that_do_not_fit_are_left_out_and_counted():
    loader = LineLoader(nothing(), GEOMETRY, batch=8, endless=endless(), steps=lambda width: 2)
    for epoch in range(2):
        assert all(len(t) <= 2 for u in loader.epoch(epoch) for b in u for t in b.texts)
    assert 10 < loader.left_out < 40


def test_a_weight_of_rendered_lines_is_their_number():
    loader = LineLoader(nothing(), GEOMETRY, batch=8, endless=endless(20, weight=2.5))
    assert len({n for u in loader.epoch(0) for b in u for n in b.numbers}) == 50


def test_effects_differ_by_epoch(lines):
    loader = LineLoader(lines, GEOMETRY, batch=12, seed=3, effects=[part("shift", pixels=8)])
    images = [
        {b.texts[i]: b.images[i].sum().item() for u in loader.epoch(e) for b in u for i in range(len(b.texts))}
        for e in (0, 1)
    ]
    assert images[0].keys() == images[1].keys()
    assert images[0] != images[1]


def lines_of(update):
    return sorted((n, text) for b in update for n, text in zip(b.numbers, b.texts, strict=True))


@pytest.mark.parametrize("ranks", [2, 4, 5])
def test_processes_share_every_update(lines, ranks):
    """Each line of the update that one process would make is made by one of them, in as even numbers as can be."""
    loader = LineLoader(lines, GEOMETRY, batch=4, seed=3)
    whole = list(loader.epoch(1))
    parts = [list(loader.epoch(1, shared=Share(rank, ranks))) for rank in range(ranks)]
    assert {len(updates) for updates in [whole, *parts]} == {len(loader)}
    for update, *shares in zip(whole, *parts, strict=True):
        assert sorted(line for share in shares for line in lines_of(share)) == lines_of(update)
        counts = [len(lines_of(share)) for share in shares]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("ranks", [2, 3])
def test_processes_share_lines_that_are_rendered(lines, ranks):
    """Each renders its own and tells the others the widths: the updates are those of one process."""
    shared = {"batch": 8, "seed": 3, "steps": lambda width: width // 16}
    whole_loader = LineLoader(lines, GEOMETRY, endless=endless(41), **shared)
    whole = list(whole_loader.epoch(1))
    barrier, told = threading.Barrier(ranks), [None] * ranks

    def feed(rank):
        def gather(array):
            told[rank] = array
            barrier.wait(20)
            found = list(told)
            barrier.wait(20)
            return found

        loader = LineLoader(lines, GEOMETRY, endless=endless(41), **shared)
        made = list(loader.epoch(1, shared=Share(rank, ranks, gather)))
        assert loader.left_out == whole_loader.left_out > 0
        return made

    with ThreadPoolExecutor(ranks) as pool:
        parts = list(pool.map(feed, range(ranks)))
    for update, *shares in zip(whole, *parts, strict=True):
        assert sorted(line for share in shares for line in lines_of(share)) == lines_of(update)
    images = [
        {n: i for u in run for b in u for n, i in zip(b.numbers, b.images, strict=True)} for run in (whole, *parts)
    ]
    for part_ in images[1:]:
        assert part_
        assert all(torch.equal(image, images[0][number]) for number, image in part_.items())


def test_a_process_may_have_no_line_of_an_update(lines):
    loader = LineLoader(lines, GEOMETRY, batch=1, seed=3, workers=1)
    parts = [list(loader.epoch(0, shared=Share(rank, 2))) for rank in range(2)]
    every = list(loader.epoch(0, shared=Share(1, 2, every=True)))
    loader.close()
    assert [len(update) for update in parts[0]] == [1] * 12
    assert [len(update) for update in parts[1]] == [0] * 12
    for (there,), (here,) in zip(parts[0], every, strict=True):
        assert here.images.shape == (0, *there.images.shape[1:])
        assert (here.labels, here.texts, here.numbers) == ([], [], [])


def test_once_is_every_line_without_effects(lines):
    loader = LineLoader(lines, GEOMETRY, batch=5, effects=SHIFT)
    batches = list(loader.once())
    assert sorted(n for b in batches for n in b.numbers) == list(range(12))
    first = batches[0]
    assert (
        first.images[0].numpy() == scale(prepare(lines[first.numbers[0]].sample.source, GEOMETRY).pixels, GEOMETRY)
    ).all()


def test_channels_last(lines):
    batch = next(LineLoader(lines, GEOMETRY, batch=4).once())
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert batch.images.dtype == torch.float32
    assert np.isfinite(batch.images.numpy()).all()


def test_a_preparer_is_a_plain_value(lines):
    preparer = Preparer(lines, endless(), GEOMETRY, SHIFT, 3)
    preparer.line(0, 0)
    again = pickle.loads(pickle.dumps(preparer))
    for number in (0, 5, 12, 31):
        one, other = preparer.line(number, 2), again.line(number, 2)
        assert (one.pixels == other.pixels).all()
        assert one.text == other.text


def test_the_choice_of_workers(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(12)), raising=False)
    assert choose_workers(3, False, 12) == 3
    assert [choose_workers(None, True, threads) for threads in (12, 10, 1)] == [0, 2, 8]
    assert choose_workers(None, False, 1) == 0
