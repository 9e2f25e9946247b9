"""Write a file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, data: bytes | memoryview) -> None:
    """Write beside the target, make sure that it is on the disk, then rename.

    A full disk, a kill or a power cut leaves what stood there before.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk may show only now
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
