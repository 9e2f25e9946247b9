"""Learning from a teacher: the parts of the loss by hand and by a second method, what does not fit, and whole trainings."""

import math
import shutil

import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.errors import CheckpointError, RecipeError
from glyphlet.image import Geometry
from glyphlet.models.heads import HEADS
from glyphlet.models.losses import cosines, posterior_loss, similarity_loss
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec, TeacherSpec, recipe_from
from glyphlet.train.imported import save_imported
from glyphlet.train.restore import restore_run
from glyphlet.train.task import absolute_paths
from glyphlet.train.teacher import Teaching, load_teacher
from support import part, same, stopped, trained

CPU = {"threads": 1, "accelerator": "cpu", "workers": 0, "samples": 0}
PARTS = ("posteriors", "sequence", "features")


def model_of(nh=4, charset="0123456789", head="ctc", **geometry):
    neck = part("latent") if HEADS.build(head, {}, 8, Charset.from_text("ab")).single else part("fold")
    spec = ModelSpec(backbone=part("micro", nh=nh, depth=1), neck=neck, head=part(head))
    return build(spec, Geometry(**geometry), Charset.from_text(charset))


def spec_of(**values):
    return TeacherSpec(path="x", **{**dict.fromkeys(PARTS, 0.0), **values})


class TestLosses:
    def test_posteriors_by_hand(self):
        ours = torch.tensor([[[0.5, 0.5], [0.9, 0.1]]]).log()
        theirs = torch.tensor([[[0.8, 0.2], [0.9, 0.1]]]).log()
        expected = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)
        assert posterior_loss(ours, theirs).item() == pytest.approx(expected, rel=1e-5)
        assert posterior_loss(ours, theirs, steps=[1]).item() == pytest.approx(expected, rel=1e-5)
        assert posterior_loss(theirs, theirs).item() == pytest.approx(0, abs=1e-7)

    def test_steps_after_the_stop_do_not_count(self):
        ours, theirs = torch.rand(3, 5, 4), torch.rand(3, 5, 4)
        alone = [posterior_loss(ours[i : i + 1, :n], theirs[i : i + 1, :n]) for i, n in enumerate((1, 5, 3))]
        assert posterior_loss(ours, theirs, steps=[1, 5, 3]).item() == pytest.approx(sum(alone).item() / 3, rel=1e-5)

    def test_a_higher_temperature_weighs_all_classes_and_keeps_the_size_of_the_gradient(self):
        theirs = torch.randn(2, 4, 6)
        ours = (theirs + 1e-2 * torch.randn(2, 4, 6)).requires_grad_()
        (slope,) = torch.autograd.grad(posterior_loss(ours, theirs, 50.0), ours)
        away = (ours - theirs).detach()
        centred = (away - away.mean(2, keepdim=True)) / 6 / 2  # of a nearly uniform posterior, mean over two lines
        torch.testing.assert_close(slope, centred, rtol=0.2, atol=1e-4)

    def test_cosines_and_similarity_by_hand(self):
        ours = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
        theirs = torch.tensor([[[3.0, 0.0, 0.0], [5.0, 0.0, 0.0]]])
        assert cosines(ours).tolist() == [[[1, 0], [0, 1]]]
        assert cosines(theirs).tolist() == [[[1, 1], [1, 1]]]
        assert similarity_loss(ours, theirs).item() == pytest.approx(
            1.0
        )  # two of four pairs differ by 1, times two steps
        assert similarity_loss(7 * ours, ours).item() == pytest.approx(0)


class TestTeaching:
    def output_of(self, model, images, labels):
        return model(images, labels if model.head.guided else None)

    @pytest.mark.parametrize("head", list(HEADS))
    def test_a_student_that_equals_its_teacher_learns_its_readings_only(self, head):
        torch.manual_seed(0)
        teacher, images, labels = model_of(head=head).eval(), torch.rand(3, 1, 32, 64), [[1, 2], [3], [4, 4, 5]]
        alike = Teaching(spec_of(posteriors=1, features=1), teacher, teacher)
        output = self.output_of(teacher, images, labels)
        assert alike.loss(teacher, images, output, labels).item() == pytest.approx(0, abs=1e-4)
        texts = [teacher.codec.encode(text) for text in self.read(teacher, images)]
        most = teacher.steps(64)  # an untrained decoder writes on to its last step, where no stop has room
        texts = [t if teacher.codec.min_steps(t) <= most else own for t, own in zip(texts, labels, strict=True)]
        expected = teacher.head.loss(self.output_of(teacher, images, texts), texts)
        found = Teaching(spec_of(sequence=1), teacher, teacher).loss(teacher, images, output, labels)
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)

    def read(self, model, images):
        with torch.no_grad():
            return [model.codec.decode(path) for path in model(images).argmax(-1).tolist()]

    @pytest.mark.parametrize("which", PARTS)
    def test_each_part_has_its_weight_and_a_gradient_of_its_own(self, which):
        torch.manual_seed(0)
        teacher, student = model_of(8).eval().requires_grad_(False), model_of(4)
        images, labels = torch.rand(2, 1, 32, 64), [[1], [2]]
        once, thrice = (Teaching(spec_of(**{which: weight}), teacher, student) for weight in (1, 3))
        output = student(images)
        loss = once.loss(student, images, output, labels)
        assert loss.item() > 0
        assert thrice.loss(student, images, student(images), labels).item() == pytest.approx(3 * loss.item(), rel=1e-5)
        loss.backward()
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in student.parameters())
        assert all(p.grad is None for p in teacher.parameters())

    def test_a_reading_too_long_for_the_student_is_replaced_by_the_label(self):
        teacher, student = model_of(), model_of()
        teaching = Teaching(spec_of(sequence=1), teacher, student)
        with torch.no_grad():
            teacher.head.linear.weight.zero_()
            teacher.head.linear.bias.copy_(torch.eye(11)[5])  # every step is a 4: the text "4"
        features = teacher.features(torch.rand(1, 1, 32, 64))
        assert teaching._read(features, [[7]], steps=1) == [[5]]
        assert teaching._read(features, [[7]], steps=0) == [[7]]


class TestFit:
    @pytest.fixture
    def teacher(self, tmp_path):
        save_imported(tmp_path / "teacher.pt", model_of(), "teacher", "a test")
        return str(tmp_path / "teacher.pt")

    def refusal(self, path, student, **values):
        with pytest.raises(RecipeError) as error:
            load_teacher(TeacherSpec(path=path, **values), student)
        return str(error.value)

    def test_it_is_loaded_whole_and_without_gradients(self, teacher):
        student = model_of(8, max_width=512)
        loaded = load_teacher(TeacherSpec(path=teacher), student)
        assert not loaded.training
        assert not any(p.requires_grad for p in loaded.parameters())
        assert same(loaded.state_dict(), torch.load(teacher, weights_only=True)["model"])

    def test_another_image_charset_or_head_is_refused(self, teacher):
        assert "another image section" in self.refusal(teacher, model_of(mean=0.1))
        assert "other characters" in self.refusal(teacher, model_of(charset="abc"))
        assert "another kind of head" in self.refusal(teacher, model_of(head="attention"))

    def test_other_steps_teach_by_texts_alone(self, teacher):
        spec = ModelSpec(backbone=part("glyph"), neck=part("subpixel"))
        student = build(spec, Geometry(), Charset.named("digits"))
        assert "16 steps for a line of 64 pixels" in self.refusal(teacher, student)
        assert "set teacher.posteriors=0 and teacher.sequence=1" in self.refusal(teacher, student)
        assert "teacher.features" in self.refusal(teacher, student, posteriors=0, features=1)
        load_teacher(TeacherSpec(path=teacher, posteriors=0, sequence=1), student)

    def test_a_teacher_must_exist_and_teach_something(self, tmp_path):
        with pytest.raises(CheckpointError, match="there is no checkpoint"):
            load_teacher(TeacherSpec(path=str(tmp_path / "no.pt")), model_of())
        with pytest.raises(RecipeError, match="are all 0"):
            spec_of()


def recipe(teacher=None, **train):
    values = {
        "name": "tiny",
        "model": {"backbone": {"name": "micro", "nh": 4, "depth": 1}},
        "charset": {"text": "0123456789"},
        "data": {"train": {"count": 64, "min_length": 2, "max_length": 3}},
        "train": {"epochs": 2, "batch": 16, "entropy": 0, **CPU, **train},
        "teacher": teacher,
    }
    return recipe_from(values, "test")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A run folder to learn from."""
    folder = tmp_path_factory.mktemp("teacher")
    trained(folder, recipe(epochs=1))
    return str(folder)


class TestTraining:
    def test_a_resumed_training_equals_one_that_was_not_stopped(self, teacher, tmp_path):
        made = recipe({"path": teacher, "posteriors": 0.5, "sequence": 0.2, "features": 2.0})
        whole = trained(tmp_path / "whole", made)["model"]
        stopped(trained, tmp_path / "parts", made, at=3)
        assert same(trained(tmp_path / "parts", made)["model"], whole)
        assert not same(trained(tmp_path / "alone", recipe())["model"], whole)

    def test_another_weight_is_another_training_and_another_path_is_not(self, teacher, tmp_path):
        trained(tmp_path / "run", recipe({"path": teacher}, epochs=1))
        with pytest.raises(CheckpointError, match=r"teacher.posteriors of this run has changed from 1.0 to 0.5"):
            trained(tmp_path / "run", recipe({"path": teacher, "posteriors": 0.5}))
        trained(tmp_path / "run", recipe({"path": f"{teacher}/checkpoints/best.pt"}, epochs=1))

    def test_a_teacher_that_is_gone_is_not_missed_but_in_training(self, teacher, tmp_path):
        shutil.copytree(teacher, tmp_path / "gone")
        trained(tmp_path / "run", recipe({"path": str(tmp_path / "gone")}, epochs=1))
        shutil.rmtree(tmp_path / "gone")
        assert len(restore_run(tmp_path / "run").validation_lines()) > 0
        with pytest.raises(CheckpointError, match="there is no checkpoint"):
            trained(tmp_path / "run", recipe({"path": str(tmp_path / "gone")}, epochs=2))

    def test_the_path_is_made_absolute_and_a_name_that_ships_is_found(self, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        assert absolute_paths(recipe({"path": "run"})).teacher.path == str(tmp_path / "run")
        assert absolute_paths(recipe({"path": "print"})).teacher.path.endswith("weights/print.onnx")
