"""Imports point down: no module of the package imports one of a higher layer (docs/design.md)."""

import ast
from pathlib import Path

import pytest

import glyphlet

ROOT = Path(glyphlet.__file__).parent
LAYERS = {
    0: ["errors", "files", "registry", "spec", "charset", "codec", "image", "metrics", "regex", "reliability"],
    1: ["effects", "synth", "decode"],
    2: ["data", "models", "runtime"],
    3: ["train", "export", "evaluate", "pages", "server", "web"],
    4: ["job", "compress"],
    5: ["cli"],
    6: ["__main__"],
}
LAYER = {part: layer for layer, parts in LAYERS.items() for part in parts}
SIDEWAYS = {("synth", "effects"), ("job", "compress"), ("server", "web")}
"""Within a layer, only the parts of layer 0 may import each other, and what is listed here."""
TORCH_FREE = {part for layer in (0, 1) for part in LAYERS[layer]} | {"runtime", "pages"}
MODULES = sorted(ROOT.rglob("*.py"))


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Modules that a file imports; those inside functions count, those for type checkers only do not."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_imports_downwards(path):
    part = part_of(path)
    if part == "__init__":  # the package itself hands out the reader on request
        return
    assert part in LAYER, f"{part} stands in no layer"
    for name in imported(path):
        if not name.startswith("glyphlet."):
            continue
        other = name.split(".")[1]
        if other not in LAYER or other == part:
            continue
        down = LAYER[other] < LAYER[part] or LAYER[other] == LAYER[part] == 0 or (part, other) in SIDEWAYS
        assert down, f"{part} (layer {LAYER[part]}) imports {name} (layer {LAYER[other]})"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if part_of(p) in TORCH_FREE], ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_torch_free_half_names_no_torch(path):
    heavy = {name.split(".")[0] for name in imported(path)} & {
        "torch",
        "lightning_fabric",
        "onnx",
        "tensorboard",
        "torch_pruning",
    }
    assert not heavy


def test_torch_is_imported_in_one_module_of_data():
    users = {p.name for p in MODULES if part_of(p) == "data" and "torch" in imported(p)}
    assert users == {"loader.py"}
