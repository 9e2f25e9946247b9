"""The pages say what the program does: links resolve, code runs, commands parse, settings and defaults are complete."""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.cli import app
from glyphlet.effects import EFFECTS, build_effects
from glyphlet.image import Geometry
from glyphlet.models.recognizer import LAYOUTS, build
from glyphlet.spec import (
    CharsetSpec,
    DataSpec,
    ModelSpec,
    PartSpec,
    Recipe,
    ReplaySpec,
    SourceSpec,
    StartSpec,
    SynthSpec,
    TeacherSpec,
    TrainSpec,
    apply_settings,
    load_values,
    recipe_from,
    shipped_recipes,
)

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
NOT_RUN = "<!-- not run"
"""Stands in the line before a Python block that cannot run, with the reason."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        before = text[: match.start()].rstrip().rpartition("\n")[2]
        if match[1] == language and not before.startswith(NOT_RUN):
            found.append(match[2])
    return found


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def table(page: Path, heading: str) -> list[list[str]]:
    """The rows of all tables between a heading and the next heading of its level; cells without their code marks."""
    text = prose(page)
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"{name(page)} has no heading {heading}"
    lines = [line for line in match[1].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if not set("".join(row)) <= set("-")]


def code(cell: str) -> str | None:
    """The text of a cell that is one code span."""
    match = re.fullmatch(r"`([^`]*)`", cell)
    return match[1] if match else None


def shown(default: object) -> str:
    """A default as the pages write it."""
    if default is None:
        return "none"
    if isinstance(default, PartSpec):
        return f"`{{name: {default.name}}}`"
    if isinstance(default, str):
        return f"`{default}`" if default else '`""`'
    plain = list(default) if isinstance(default, tuple) else default
    return f"`{json.dumps(plain)}`"


def script(name):
    """A script of the folder docs as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", script("generate_models").MODELS)
def test_the_figures_of_a_model_are_those_measured(page):
    made = script("generate_models").page(page)
    assert "<!-- figures -->" in made
    assert (DOCS / "models" / f"{page}.md").read_text(encoding="utf-8") == made, "run: python docs/generate_models.py"


class TestCommandLine:
    def test_the_page_is_up_to_date(self):
        module = script("generate_cli")
        expected = module.page()
        assert module.PAGE.read_text(encoding="utf-8") == expected, "run: python docs/generate_cli.py"

    def test_the_page_has_every_option(self):
        page = (DOCS / "cli.md").read_text(encoding="utf-8")
        commands = dict(typer.main.get_command(app).commands)
        for group in [name for name, command in commands.items() if hasattr(command, "commands")]:
            commands |= {f"{group} {name}": command for name, command in commands.pop(group).commands.items()}
        assert "data check" in commands
        for verb, command in commands.items():
            assert f"## glyphlet {verb}\n" in page
            section = page.partition(f"## glyphlet {verb}\n")[2].partition("\n## ")[0]
            options = {name for p in command.params for name in (*p.opts, *p.secondary_opts) if name.startswith("-")}
            assert set(re.findall(r"`(--?[a-z][a-z-]*)`", section)) >= options - {"--help", "-h"}, verb

    @pytest.mark.parametrize("page", PAGES, ids=name)
    def test_every_command_shown_is_understood(self, page):
        commands = typer.main.get_command(app).commands
        typed = "".join(blocks(page, "sh")).splitlines()
        typed += [line[2:] for block in blocks(page, "console") for line in block.splitlines() if line[:2] == "$ "]
        for line in typed:
            words = shlex.split(line, comments=True)
            words = words[: words.index(">")] if ">" in words else words
            if words[:1] == ["glyphlet"] and not words[1].startswith("-"):
                commands[words[1]].make_context(words[1], words[2:])  # exits on a wrong option

    @pytest.mark.parametrize("page", PAGES, ids=name)
    def test_every_setting_shown_is_one_of_the_recipe_labels(self, page):
        text = page.read_text(encoding="utf-8")
        for line in [
            *re.findall(r"`([^`\n]*--set [^`\n]*)`", prose(page)),
            *re.findall(r"^glyphlet .*", text, re.MULTILINE),
        ]:
            words = shlex.split(line)
            settings = [value for flag, value in pairwise(words) if flag == "--set"]
            if words[:2] == ["glyphlet", "synth"]:  # its settings are those of rendered lines
                literal = dict(s.split("=", 1) for s in settings if s.startswith("pattern="))
                others = [s for s in settings if not s.startswith("pattern=")]
                SynthSpec.model_validate(apply_settings({}, others) | literal)
                continue
            if "--start" in words:
                settings = ["start.path=RUN", *settings]
            values = apply_settings(load_values("labels"), settings)
            load_parts(recipe_from(values, line))


def load_parts(recipe: Recipe) -> None:
    """Build what the recipe names; raises for an unknown part or option."""
    build(recipe.model, recipe.image, Charset.named("digits"))
    build_effects(recipe.augment)


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=name)
    def test_relative_links_resolve(self, page):
        for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if "://" in link:
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{name(page)}: {link}"
            if anchor:
                assert anchor in anchors(target), f"{name(page)}: {link}"

    def test_the_index_links_every_page(self):
        index = (DOCS / "README.md").read_text(encoding="utf-8")
        for page in DOCS.rglob("*.md"):
            assert page == DOCS / "README.md" or f"({page.relative_to(DOCS)})" in index


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name)
def test_python_blocks_run(page, tmp_path):
    """All blocks of a page in order, in one process, in a folder with a model and some images."""
    shutil.copy(ROOT / "tests" / "fixtures" / "format1.onnx", tmp_path / "model.onnx")
    for image in ("line.png", "a.png", "b.jpg"):
        Image.fromarray(np.full((32, 64), 200, np.uint8)).save(tmp_path / image)
    program = "\n\n".join(blocks(page, "python"))
    compile(program, name(page), "exec")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_recipe_blocks_are_recipes(page):
    for block in blocks(page, "yaml"):
        Recipe.model_validate(yaml.safe_load(block))


class TestSettings:
    @pytest.mark.parametrize(
        ("page", "heading", "spec"),
        [
            ("training.md", "charset", CharsetSpec),
            ("training.md", "data", DataSpec),
            ("training.md", "train", TrainSpec),
            ("training.md", "The whole recipe", Recipe),
            ("distillation.md", "Settings", TeacherSpec),
            ("fine-tuning.md", "Settings", StartSpec),
            ("fine-tuning.md", "Against forgetting", ReplaySpec),
        ],
    )
    def test_every_setting_stands_there_with_its_default(self, page, heading, spec):
        rows = [(code(row[0]), row[1]) for row in table(DOCS / page, heading)[1:]]
        sections = {"model", "image", "charset", "data", "train"} if spec is Recipe else set()
        expected = [
            (key, "" if key in sections else "required" if f.is_required() else shown(f.default))
            for key, f in spec.model_fields.items()
        ]
        assert sorted(rows) == sorted(expected)

    def test_image(self):
        rows = [(code(row[0]), row[1]) for row in table(DOCS / "training.md", "image")[1:]]
        assert rows == [(key, shown(f.default)) for key, f in Geometry.__dataclass_fields__.items()]

    def test_model(self):
        rows = table(DOCS / "training.md", "model")
        kinds = [(code(row[0]), row[1]) for row in rows if len(row) == 3 and code(row[0])]
        assert kinds == [(key, shown(f.default)) for key, f in ModelSpec.model_fields.items()]
        options = [(row[0], code(row[1]), row[2]) for row in rows if len(row) == 4 and code(row[1])]
        assert options == [
            (f"{kind} `{part}`", option, shown(default))
            for kind, registry in LAYOUTS.items()
            for part in registry
            for option, default in registry.options(part).items()
        ]

    def test_every_part_is_named(self):
        text = (DOCS / "training.md").read_text(encoding="utf-8")
        for registry in LAYOUTS.values():
            assert [part for part in registry if f"`{part}`" not in text] == []

    def test_sources(self):
        rows = [(code(row[0]), row[1]) for row in table(DOCS / "training.md", "Sources")[1:]]
        defaults = {key: f.default for key, f in SourceSpec.model_fields.items()}
        assert rows == [(key, "required" if key == "path" else shown(d)) for key, d in defaults.items()]

    def test_effects(self):
        rows = [(code(row[0]), code(row[1]), row[2]) for row in table(DOCS / "augmentation.md", "Effects")]
        options = [(e, option, shown(d)) for e in EFFECTS for option, d in EFFECTS.options(e).items()]
        assert sorted(row for row in rows if row[0] and row[1]) == sorted(options)
        assert sorted(row[0] for row in rows if row[0] and not row[1]) == sorted(EFFECTS)

    def test_rendered_lines(self):
        rows = [(code(row[0]), row[2]) for row in table(DOCS / "synth.md", "Settings")[1:]]
        assert rows == [(key, shown(f.default)) for key, f in SynthSpec.model_fields.items()]

    def test_every_option_of_synth(self):
        text = (DOCS / "synth.md").read_text(encoding="utf-8")
        command = typer.main.get_command(app).commands["synth"]
        options = {p.opts[-1] for p in command.params if p.opts[-1].startswith("--")} - {"--help"}
        assert [option for option in options if option not in text] == []


def test_every_shipped_recipe_is_mentioned():
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    assert [recipe for recipe in shipped_recipes() if f"`{recipe}`" not in text] == []
