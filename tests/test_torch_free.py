"""Reading needs no torch, onnx or pydantic: a fresh process that reads an image must not have loaded them."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = """
import json, sys
import numpy as np
from glyphlet import Reader
line = np.full((32, 40), 255, np.uint8)
line[:, 8:16] = 0
reading = Reader(sys.argv[1]).read([line])[0]
heavy = "torch onnx pydantic yaml lightning lightning_fabric cv2 typer rich".split()
print(json.dumps({"text": reading.text, "loaded": [name for name in heavy if name in sys.modules]}))
"""


def test_reading_loads_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(ROOT / "tests/fixtures/format1.onnx")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert json.loads(done.stdout) == {"text": "0", "loaded": []}
    assert done.stderr == ""
