"""Read one line with a Glyphlet model file: onnxruntime, NumPy and Pillow alone. docs/file-format.md explains each step.

python read_line.py MODEL IMAGE          prints the reading as JSON
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

MARKER = b"glyphlet-sha256:"
FEATURES = {"charset.case", "lines.single", "geometry.width", "geometry.squeeze"}  # what this program can do


def open_model(path):
    """The session, and the description that travels in the file."""
    data = Path(path).read_bytes()
    start = data.rindex(MARKER) + len(MARKER)
    whole = hashlib.sha256(data[:start] + b"0" * 64 + data[start + 64 :]).hexdigest().encode()
    assert data[start : start + 64] == whole, "the file is damaged"
    onnxruntime.set_default_logger_severity(
        4
    )  # a quantised file keeps what only a training reads, and would be told of
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    about = json.loads(session.get_modelmeta().custom_metadata_map["glyphlet"])
    unknown = set(about["features"]) - FEATURES
    known = about["format"] == 1 and not unknown and about["calibration"]["kind"] in ("none", "beta")
    assert known, f"format {about['format']}, {unknown}, {about['calibration']}: a newer reader is needed"
    return session, about


def prepare(path, geometry):
    """An image as float32 (1, C, H, W), the columns that hold it, and its width."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if geometry["channels"] == 1 else "RGB")
    width, rows = image.width, geometry["height"]
    kept = max(1, round(width * rows / image.height / geometry.get("squeeze", 1)))
    scaled = geometry.get("width", 0) or kept
    assert scaled <= geometry["max_width"], f"the line is {scaled} pixels wide at {rows} rows"
    if image.size != (scaled, rows):
        image = image.resize((scaled, rows), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.uint8).reshape(rows, scaled, -1)
    padded = -(-max(scaled, geometry["min_width"]) // geometry["width_step"]) * geometry["width_step"]
    mode = "edge" if geometry["padding"] == "edge" else "constant"
    pixels = np.pad(pixels, ((0, 0), (0, padded - scaled), (0, 0)), mode=mode).transpose(2, 0, 1)
    factor, shift = np.float32(1 / (255 * geometry["std"])), np.float32(geometry["mean"] / geometry["std"])
    return (pixels.astype(np.float32) * factor - shift)[None], scaled, width


def text_probability(logs, labels):
    """The probability of a text under CTC: the sum over all its paths (Graves et al. 2006, section 4.1)."""
    states = [0, *(state for label in labels for state in (label, 0))]  # blank, first character, blank, ...
    alpha = np.full(len(states), -np.inf)
    alpha[:2] = logs[0, states[:2]]
    skips = [s > 1 and states[s] not in (0, states[s - 2]) for s in range(len(states))]
    for step in logs[1:]:
        one, two = np.roll(alpha, 1), np.roll(alpha, 2)
        one[0], two[~np.array(skips)] = -np.inf, -np.inf
        alpha = np.logaddexp(np.logaddexp(alpha, one), two) + step[states]
    return float(np.exp(np.logaddexp.reduce(alpha[-2:])))


def read_ctc(logs, about, scaled, width):
    """Greedy: equal neighbours are merged, blanks dropped."""
    path, characters, labels = logs.argmax(1), [], []
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    for start, stop in zip(edges, edges[1:]):  # noqa: B905, RUF007
        if label := int(path[start]):
            left, right = (min(t * about["time_stride"], scaled) * width / scaled for t in (start, stop))
            sure = float(np.exp(logs[start:stop, label].max()))
            characters.append((about["charset"]["text"][label - 1], sure, left, right))
            labels.append(label)
    return characters, text_probability(logs, labels)


def read_sequence(logs, about):
    """One class a step up to the stop, class 0; nobody knows where they stand."""
    path = logs.argmax(1).tolist()
    end = path.index(0) if 0 in path else len(path)
    sure = np.exp(logs.max(1))
    characters = [(about["charset"]["text"][path[t] - 1], float(sure[t]), None, None) for t in range(end)]
    return characters, float(np.prod(sure[: end + 1]))


def corrected(p, a, b, c):
    """A calibrated probability."""
    p = min(max(p, 1e-12), 1 - 1e-12)
    return float(1 / (1 + np.exp(-(a * np.log(p) - b * np.log1p(-p) + c))))


def calibrated(characters, confidence, found, ratio, width):
    """What the model file says of its confidences, of spans that stand too far right, and of what is no text."""
    if found["kind"] == "none":
        return characters, confidence
    mean = np.log(max(confidence, 1e-300)) / max(len(characters), 1)
    if found["least"] is not None and (not characters or mean < found["least"]):
        return [], 0.0  # no text was found
    shift = found.get("shift", 0) * ratio
    moved = [[e if e is None else min(max(e - shift, 0), width) for e in c[2:]] for c in characters]
    characters = [(c[0], corrected(c[1], *found["character"]), *m) for c, m in zip(characters, moved, strict=True)]
    return characters, corrected(confidence, *found["line"])


def read(model, image):
    """A reading of a line."""
    session, about = open_model(model)
    pixels, scaled, width = prepare(image, about["geometry"])
    logits = session.run(["logits"], {"image": pixels})[0][0].astype(np.float64)
    logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    found = read_sequence(logs, about) if about["head"] == "sequence" else read_ctc(logs, about, scaled, width)
    characters, confidence = calibrated(*found, about["calibration"], width / scaled, width)
    return {"text": "".join(c[0] for c in characters), "confidence": confidence, "characters": characters}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("python read_line.py MODEL IMAGE")
    print(json.dumps(read(*sys.argv[1:]), ensure_ascii=False))
