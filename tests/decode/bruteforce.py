"""Every path of a small line, and the texts that they collapse to."""

import itertools
from collections import defaultdict

import numpy as np

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def texts_of(logits_TK, charset: Charset) -> dict[str, float]:
    """The probability of every text, by going through every path."""
    posteriors = softmax(np.asarray(logits_TK, np.float64))
    codec = CTCCodec(charset)
    found = defaultdict(float)
    for path in itertools.product(range(posteriors.shape[1]), repeat=len(posteriors)):
        found[codec.decode(path)] += float(np.prod(posteriors[np.arange(len(path)), path]))
    return dict(found)
