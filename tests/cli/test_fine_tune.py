"""`glyphlet train --start`: what it takes over, what it says, what it refuses."""

import json
import shutil

import pytest

from glyphlet.charset import Charset
from glyphlet.cli.train import recipe_for
from glyphlet.runtime.reader import Reader
from glyphlet.spec import SynthSpec, load_recipe
from glyphlet.synth.dataset import write_set
from support import TINY, runs_in

FINE = [part for setting in TINY if not setting.startswith("model") for part in ("--set", setting)]
"""Settings of a tiny training that leave the model to the start."""


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """Lines with digits and the letters a and b."""
    spec = SynthSpec(count=40, min_length=2, max_length=2, seed=5)
    return write_set(spec, Charset.from_text("01ab"), tmp_path_factory.mktemp("letters"))


def test_labels_take_model_and_image_and_charset_from_the_start(glyphlet, digits, job, tmp_path):
    done = glyphlet("train", digits, "--start", job.folder, "--runs", tmp_path, *FINE)
    assert done.code == 0, done.err
    (folder,) = runs_in(tmp_path)
    made, before = load_recipe(folder / "recipe.yaml"), load_recipe(job.folder / "recipe.yaml")
    assert (made.model, made.image) == (before.model, before.image)
    assert made.charset.text == "0123456789"
    assert made.start.path == str(job.folder)
    assert f"starts from {job.folder} (tiny): backbone, neck, head" in done.out
    assert "characters: all 10 kept" in done.out
    facts = Reader(folder / "model.onnx").metadata.training
    assert facts["start"] == {"name": "tiny", "parts": ["backbone", "neck", "head"], "new_characters": 0}


def test_labels_alone_train_with_care_and_a_recipe_as_it_says(digits, job, tmp_path):
    few = recipe_for([str(digits)], [], [], job.folder)
    assert (few.start.keep_norm, few.train.lr, few.train.ema) == (True, 0.001, 0.98)
    told = recipe_for([str(digits)], ["train.lr=0.01", "start.keep_norm=false"], [], job.folder)
    assert (told.start.keep_norm, told.train.lr, told.train.ema) == (False, 0.01, 0.98)
    whole = recipe_for(["labels"], [f"data.train=['{digits}']"], [], job.folder)
    assert (whole.start.keep_norm, whole.train.lr, whole.train.ema) == (False, load_recipe("labels").train.lr, 0.0)


def test_a_model_file_is_a_start(glyphlet, digits, job, tmp_path):
    start = tmp_path / "m.onnx"
    shutil.copy(job.model, start)
    done = glyphlet(
        "train", digits, "--start", start, "--runs", tmp_path / "runs", *FINE, "--set", "train.lr=1e-9",
        "--set", f"start.check=['{digits}']",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert f"starts from {start} (tiny): backbone, neck, head" in done.out
    (folder,) = runs_in(tmp_path / "runs")
    figures = json.loads((folder / "check.json").read_text(encoding="utf-8"))
    assert figures["before"] == figures["after"]  # nothing was learned at that rate
    assert (folder / "start.onnx").read_bytes() == start.read_bytes()
    start.unlink()  # a resumed run needs it no more
    (folder / "report.html").unlink()
    assert glyphlet("train", "--resume", folder).code == 0


def test_another_charset_is_reported(glyphlet, letters, job, tmp_path):
    done = glyphlet(
        "train", letters, "--start", job.folder, "--runs", tmp_path, *FINE, "--set", "charset={}",
        "--set", "start.freeze=[backbone, neck]",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "characters: 2 kept '01'; 2 new 'ab'; 8 dropped '23456789'" in done.out


@pytest.mark.parametrize("setting", ["charset.half_width=true", "charset.case=upper"])
def test_how_labels_are_folded_changes_no_characters(glyphlet, digits, job, tmp_path, setting):
    done = glyphlet("train", digits, "--start", job.folder, "--runs", tmp_path, *FINE, "--set", setting)
    assert "characters: all 10 kept" in done.out, done.err
    (folder,) = runs_in(tmp_path)
    made = load_recipe(folder / "recipe.yaml").charset
    assert made.text == "0123456789"
    assert (made.half_width, made.case) == (True, "keep") if "half" in setting else (False, "upper")


def test_new_characters_are_refused_or_added(glyphlet, letters, job, tmp_path):
    options = ("train", letters, "--start", job.folder, "--runs", tmp_path, *FINE)
    glyphlet(*options).refused("'a'", "data.unknown=drop")
    done = glyphlet(*options, "--set", "start.extend=true")
    assert "characters: 10 kept '0123456789'; 2 new 'ab'; 0 dropped" in done.out


def test_old_lines_are_read_before_and_after(glyphlet, digits, letters, job, tmp_path):
    start = tmp_path / "start"
    shutil.copytree(job.folder, start)
    done = glyphlet(
        "train", letters, "--start", start, "--runs", tmp_path / "runs", *FINE, "--set", "start.extend=true",
        "--set", f"start.check=['{digits}']", "--set", f"start.replay={{source: '{digits}', share: 0.3}}",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "Old lines, before and after" in done.out
    (folder,) = runs_in(tmp_path / "runs")
    figures = json.loads((folder / "check.json").read_text(encoding="utf-8"))
    assert figures["before"]["lines"] == figures["after"]["lines"] == figures["difference"]["lines"] == 40
    lines = sorted(digits.parent.glob("images/*"))[:5]
    assert [r.text for r in Reader(folder / "start.onnx").read(lines)] == [
        r.text for r in Reader(job.model).read(lines)
    ]
    assert "Word accuracy before" in (folder / "report.html").read_text(encoding="utf-8")
    shutil.rmtree(start)  # a resumed run needs it no more
    for name in ("report.html", "check.json"):
        (folder / name).unlink()
    assert glyphlet("train", "--resume", folder).code == 0
    assert json.loads((folder / "check.json").read_text(encoding="utf-8")) == figures


def test_a_recipe_with_a_start(glyphlet, digits, job, tmp_path):
    recipe = tmp_path / "fine.yaml"
    before = load_recipe(job.folder / "recipe.yaml").dump()
    before["start"] = {"path": "elsewhere", "only": ["backbone"]}
    recipe.write_text(json.dumps(before), encoding="utf-8")
    done = glyphlet("train", recipe, "--start", job.folder / "checkpoints" / "last.pt", "--runs", tmp_path / "runs")
    assert done.code == 0, done.err
    assert "last.pt (tiny): backbone; drawn anew: neck, head" in done.out


@pytest.mark.parametrize(
    ("settings", "fragments"),
    [
        (["start.freeze=[bakbone]"], ["'bakbone', which is no part", "'backbone'"]),
        (["start.freeze=[backbone, neck, head]"], ["leaves nothing to train"]),
        (["start.only=[tail]"], ["start.only names 'tail'", "backbone, neck, head"]),
        (["model.backbone.nh=8"], ["does not fit this model in backbone", "is (4, 1, 4, 4) there", "start.only"]),
        (["start.fuzz=1"], ["there is no setting start.fuzz", "keep_weight"]),
        (["start.replay={share: 0.1}"], ["start.replay.source is missing"]),
        (["start.replay={source: {count: x}}"], ["start.replay.source.count is 'x'"]),
        (["start.check=[missing.txt]"], ["missing.txt"]),
    ],
)
def test_wrong_settings_leave_nothing_behind(glyphlet, digits, job, tmp_path, settings, fragments):
    options = [part for setting in settings for part in ("--set", setting)]
    glyphlet("train", digits, "--start", job.folder, "--runs", tmp_path / "runs", *FINE, *options).refused(*fragments)
    assert not (tmp_path / "runs").exists()


def test_wrong_starts(glyphlet, digits, job, tmp_path):
    (tmp_path / "junk.pt").write_bytes(b"junk")
    (tmp_path / "cut.onnx").write_bytes(job.model.read_bytes()[:-100])
    for start, fragments in (
        (tmp_path / "cut.onnx", ["cut.onnx is damaged", "copy or download the file again"]),
        (tmp_path / "junk.pt", ["damaged or not a checkpoint"]),
        (tmp_path / "none", ["there is no checkpoint"]),
        (tmp_path, ["there is no checkpoint"]),
    ):
        glyphlet("train", digits, "--start", start, "--runs", tmp_path / "runs", *FINE).refused(*fragments)
    glyphlet("train", "--resume", job.folder, "--start", job.folder).refused("--resume is given together with")
    assert not (tmp_path / "runs").exists()
