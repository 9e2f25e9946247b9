"""How well the angle of a page is found: rendered letters turned by known angles.

    python -m benchmarks.pages_skew

Needs the fonts of `make packages` and ../shared/data beside the checkout. Prints the table of docs/pages.md.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmarks.pages_render import KEPT, page, sentences
from glyphlet.pages.layout import layout_of

ANGLES = np.arange(-5, 5.01, 0.5)
PAGES = 6


def main() -> None:
    """Turn letters, receipts and columns, and print how far the found angles are off."""
    texts = sentences()
    print("| pages | angles | median error | 95 % below | largest |\n|---|---|---|---|---|")
    for kind in ("letter", "receipt", "columns"):
        errors = []
        for seed in range(PAGES):
            image = page(kind, 7000 + seed, KEPT, texts).image
            for angle in ANGLES:
                turned = image.rotate(-float(angle), Image.Resampling.BICUBIC, expand=True, fillcolor=255)
                errors.append(abs(layout_of(np.asarray(turned)).view.angle - angle))
        low, high, most = np.median(errors), np.percentile(errors, 95), max(errors)
        print(f"| {PAGES} {kind} | {len(errors)} | {low:.3f} | {high:.3f} | {most:.3f} |")


if __name__ == "__main__":
    main()
