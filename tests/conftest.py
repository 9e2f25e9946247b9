"""Fixtures that several tests share."""

import numpy as np
import pytest
import torch
from PIL import Image

torch.set_num_threads(1)  # the models here are so small that a second thread only waits


@pytest.fixture
def line_folder(tmp_path):
    """Twelve grey line images of several widths with labels.txt."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    rows = []
    for i in range(12):
        pixels = rng.integers(0, 255, (20, 30 + 10 * (i % 3)), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i}.png")
        rows.append(f"images/{i}.png\t{i:02d}")
    (tmp_path / "labels.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path
