"""How the logits of each kind of model are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from glyphlet.decode import greedy, sequence
from glyphlet.decode.reading import Reading

DECODERS: Mapping[str, Callable[..., list[Reading]]] = {"ctc": greedy.decode, "sequence": sequence.decode}
"""By `codec.kind`. Each takes logits (N, S, K), the codec, the N lines, the time stride and the names of the lines."""


def decode(logits: Any, codec: Any, *rest: Any) -> list[Reading]:
    """Read a batch of lines with the decoder of their codec."""
    return DECODERS[codec.kind](logits, codec, *rest)


__all__ = ["DECODERS", "decode"]
