"""Does an exported file read as the trained model does? On real lines, preprocessing included.

Each line goes through torch alone, and through the `Reader` that will serve the file: once alone, for its logits, and
once in batches with the others, for its text. Every text must be the same, and no logit may differ by more than
`TOLERANCE` times the largest logit of its line. After a training, the texts must also be those that its last validation
read through the training's own loader: so a difference in preprocessing shows, too. Where two classes are equal to within that
tolerance, rounding decides between them, and either text will do.

At least `LINES` lines are compared. Where fewer are given, they are completed with copies that are stretched or cropped
horizontally. `VARIED` such copies are always added, so that many widths are met even where all real lines have one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from glyphlet.codec import BLANK, STOP, Codec, SequenceCodec
from glyphlet.decode.decoders import decode as read
from glyphlet.errors import ExportError
from glyphlet.image import Geometry, ImageSource, Line, decode, name_of, prepare, scale, stack
from glyphlet.models.recognizer import Recognizer
from glyphlet.runtime.reader import Reader

LINES = 200
PARITY_LINES = 2000
"""Of a larger validation set, so many lines are compared."""
VARIED = 40
TOLERANCE = 1e-4
ROUNDED = {"float16": 0.005, "int8": 0.02}
"""Share of the lines that rounded weights may read otherwise."""


@dataclass(frozen=True)
class ParityResult:
    """What was compared, and the largest difference found.

    Args:
        lines: lines compared.
        real: of these, lines as they were given; the others are stretched or cropped copies.
        widths: different padded widths among them.
        texts_differing: lines that rounding decides, see `tied`; a file that differs in another way is not written.
        max_difference: largest difference of a logit, as a share of the largest absolute logit of its line.
        rounding: what storing the weights with fewer bits changed after that, if they are.
    """

    lines: int
    real: int
    widths: int
    texts_differing: int
    max_difference: float
    rounding: Rounding | None = None

    def summary(self) -> str:
        """The result as a person is told."""
        said = (
            f"{self.lines} lines ({self.real} real) of {self.widths} widths read as the trained model reads them, "
            f"largest difference {self.max_difference:.1e}"
        )
        if self.texts_differing:
            said += f"; of {self.texts_differing} of them rounding decides how they are read"
        if self.rounding:
            changed, of = self.rounding.texts_differing, self.rounding.lines
            said += f"; stored as {self.rounding.weights}, {changed} of {of} are read otherwise"
        return said

    def to_dict(self) -> dict[str, Any]:
        """The result as it stands in the model file."""
        made = asdict(self)
        return made if self.rounding else {key: value for key, value in made.items() if key != "rounding"}


@dataclass(frozen=True)
class Rounding:
    """How a file with rounded weights differs from the same file with exact ones.

    Args:
        weights: how they are stored: `float16` or `int8`.
        lines: lines compared.
        texts_differing: lines whose text is another.
        max_difference: as in `ParityResult`.
    """

    weights: str
    lines: int
    texts_differing: int
    max_difference: float


def compare(
    model: Recognizer, reader: Reader, sources: Sequence[ImageSource], trained: Sequence[str] | None = None
) -> ParityResult:
    """Read lines with a model and with the file that was made from it.

    Args:
        model: in eval mode, on the CPU.
        reader: of the exported file.
        sources: real lines, at least one.
        trained: what the training read on the sources, through its own loader; the reader must read the same.

    Raises:
        ExportError: there are no lines, a text differs that is not `tied`, or a logit differs by more than `TOLERANCE`.
        ImageError: a line cannot be read.
    """
    if not sources:
        raise ExportError(
            "there are no lines to compare the exported file with the trained model on",
            allowed="at least one real line",
            next_step="give lines of the validation set",
        )
    lines = [*sources, *derived(sources, max(LINES - len(sources), VARIED), model.geometry)]
    texts = [reading.text for reading in reader.read(lines)]
    worst, widths, ties = 0.0, set(), 0
    with _one_thread():
        for number, (source, text) in enumerate(zip(lines, texts, strict=True)):
            line = prepare(source, model.geometry)
            widths.add(line.pixels.shape[2])
            expected = torch_logits(model, line)
            wanted = {name_of(source): read(expected, model.codec, [line], model.time_stride, [""])[0].text}
            if trained is not None and number < len(trained):
                wanted[f"{name_of(source)}, as the training prepared it"] = trained[number]
            for name, other in wanted.items():
                if other != text and not tied(expected[0], model.codec, (text, other)):
                    raise _refused(f"the exported file reads {text!r} where the trained model reads {other!r} ({name})")
            difference = relative_difference(expected, reader.logits([line]))
            if not difference <= TOLERANCE:  # also catches NaN
                raise _refused(
                    f"a logit of the exported file differs by {difference:.1e} of the largest ({name_of(source)})"
                )
            ties += any(other != text for other in wanted.values())
            worst = max(worst, difference)
    return ParityResult(len(lines), len(sources), len(widths), ties, worst)


def tied(logits: NDArray[Any], codec: Codec, texts: Sequence[str]) -> bool:
    """Whether rounding alone decides between texts: each is read from these logits if, at some steps, another class is taken
    whose logit is as large as the largest, to within `TOLERANCE`.

    Args:
        logits: of one line, (S, K).
        codec: of the model.
        texts: what was read.

    >>> from glyphlet.charset import Charset
    >>> from glyphlet.codec import CTCCodec
    >>> logits = np.array([[0, 9, 8.9999], [9, 0, 0]])
    >>> codec = CTCCodec(Charset.from_text("ab"))
    >>> tied(logits, codec, ["a", "b"]), tied(logits, codec, ["a", "ab"])
    (True, False)
    """
    near = logits >= logits.max(axis=-1, keepdims=True) - TOLERANCE * np.abs(logits).max()
    if codec.kind == SequenceCodec.kind:  # what follows another class was never computed
        return all(_near_up_to_a_tie(near, logits.argmax(axis=-1), codec, text) for text in texts)
    return all(_is_a_path(near, codec.encode(text)) for text in texts)


def _is_a_path(near: NDArray[np.bool_], labels: Sequence[int]) -> bool:
    """Whether a CTC path through the classes that are `near` (T, K) is read as these labels."""
    states = [BLANK, *itertools.chain.from_iterable((label, BLANK) for label in labels)]
    alive = [number < 2 for number in range(len(states))]
    for number, step in enumerate(near):
        if number:
            alive = [
                alive[at]
                or (at > 0 and alive[at - 1])
                or (at > 1 and alive[at - 2] and state not in (BLANK, states[at - 2]))
                for at, state in enumerate(states)
            ]
        alive = [living and bool(step[state]) for living, state in zip(alive, states, strict=True)]
    return any(alive[-2:])


def _near_up_to_a_tie(near: NDArray[np.bool_], best: NDArray[np.intp], codec: Codec, text: str) -> bool:
    """Whether a text follows the best classes up to a step where its class is another that is as good."""
    for step, label in enumerate([*codec.encode(text), STOP][: len(near)]):
        if label != best[step]:
            return bool(near[step, label])
    return True


def compare_rounded(weights: str, exact: Reader, rounded: Reader, sources: Sequence[ImageSource]) -> Rounding:
    """Read lines with a file of exact weights and with one of rounded weights.

    Args:
        weights: how the second stores them.
        exact: the first.
        rounded: the second.
        sources: real lines, at least one; completed as in `compare`.

    Raises:
        ExportError: more of the texts differ than `ROUNDED` allows.
    """
    geometry = exact.metadata.geometry
    lines = [*sources, *derived(sources, max(LINES - len(sources), VARIED), geometry)]
    pairs = zip(exact.read(lines), rounded.read(lines), strict=True)
    differing = sum(first.text != second.text for first, second in pairs)
    if differing > ROUNDED[weights] * len(lines):
        raise ExportError(
            f"with weights stored as {weights} {differing} of {len(lines)} lines are read otherwise; nothing was written",
            allowed=f"at most {100 * ROUNDED[weights]:g} % of them",
            next_step=f"export with --weights {'float16' if weights == 'int8' else 'float32'}",
        )
    prepared = [prepare(source, geometry) for source in lines]
    worst = max(relative_difference(exact.logits([line]), rounded.logits([line])) for line in prepared)
    return Rounding(weights, len(lines), differing, worst)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch with one thread: for single lines the others only wait, 50 times longer than it takes on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def torch_logits(model: Recognizer, line: Line) -> NDArray[np.float32]:
    """The trained model's logits (1, T, K) for one line."""
    with torch.inference_mode():
        return model(torch.from_numpy(scale(stack([line]), model.geometry))).numpy()


def relative_difference(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """Largest absolute difference, as a share of the largest absolute expected value; infinity for another shape."""
    if expected.shape != found.shape:
        return float("inf")
    return float(np.abs(expected - found).max() / max(np.abs(expected).max(), 1e-12))


def derived(sources: Sequence[ImageSource], count: int, geometry: Geometry) -> list[NDArray[np.uint8]]:
    """Copies of the lines, each stretched or cropped to 0.5 to 1.5 times its width, always the same ones."""
    made = []
    for number in range(count):
        pixels = decode(sources[number % len(sources)], geometry.channels)
        height, width = pixels.shape[:2]
        # Multiples of the golden ratio, modulo 1, spread evenly whatever the count.
        target = max(1, round(width * (0.5 + number * 0.6180339887 % 1)))
        if target < width and number % 2:
            made.append(np.ascontiguousarray(pixels[:, :target]))
            continue
        if geometry.scaled_width(target, height) > geometry.max_width:
            target = width
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        made.append(np.asarray(image.resize((target, height), Image.Resampling.BILINEAR), dtype=np.uint8))
    return made


def _refused(problem: str) -> ExportError:
    return ExportError(
        f"{problem}; nothing was written",
        allowed=f"the same texts, and logits within {TOLERANCE:g} of the largest",
        next_step="report this, with the recipe and the versions of torch and onnxruntime",
    )


__all__ = [
    "LINES",
    "PARITY_LINES",
    "ROUNDED",
    "TOLERANCE",
    "VARIED",
    "ParityResult",
    "Rounding",
    "compare",
    "compare_rounded",
    "derived",
    "relative_difference",
    "tied",
    "torch_logits",
]
