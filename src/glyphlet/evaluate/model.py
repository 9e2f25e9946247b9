"""Read labelled lines with a model in memory, line by line, as the reader of its file will."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.decode.decoders import decode
from glyphlet.evaluate.lines import line_name
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.image import name_of, prepare, scale, stack
from glyphlet.models.recognizer import Recognizer


def evaluate_model(model: Recognizer, samples: LineSet | Sequence[Sample]) -> Evaluation:
    """Read lines and compare with their labels; see `evaluate_lines`.

    Args:
        model: in evaluation mode, on the CPU.
        samples: the lines.

    Raises:
        ImageError: an image cannot be read.
        LabelError: there are no lines, or their labels hold no characters.
    """
    results = []
    for sample in samples:
        line = prepare(sample.source, model.geometry, f"{name_of(sample.source)} ({sample.origin})")
        with torch.inference_mode():
            logits = model(torch.from_numpy(scale(stack([line]), model.geometry))).numpy()
        (reading,) = decode(logits, model.codec, [line], model.time_stride, [sample.origin])
        truth = model.codec.charset.normalize(sample.text)
        results.append(LineResult(line_name(sample), truth, reading.text, reading.confidence, reading.raw))
    return Evaluation.of(results)
