"""Heads that write one class a step: the steps by hand, the loss, and what they refuse."""

import math

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.heads import HEADS
from glyphlet.models.layers.cells import ClassGRUCell, ClassLSTMCell
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters, part_costs
from glyphlet.spec import ModelSpec
from support import part

AB = Charset.from_text("ab")
KINDS = {
    "attention": {"hidden": 6, "max_length": 5},
    "lstm": {"max_length": 5},
    "lstm both": {"max_length": 5, "bidirectional": True},
}


def head(kind, features=8, charset=AB, **options):
    torch.manual_seed(0)
    name = kind.split()[0]
    return HEADS.build(name, {**KINDS[kind], **options}, features, charset).eval()


def sequence(kind, lines=3, features=8):
    torch.manual_seed(1)
    return 3 * torch.randn(lines, 1 if kind.startswith("lstm") else 7, features)


def recognizer(neck, head_part, charset=AB):
    spec = ModelSpec(backbone=part("micro", nh=4, depth=1), neck=neck, head=head_part)
    return build(spec, Geometry(), charset)


class TestCells:
    """The cells are those of torch, with one-hot vectors that are looked up."""

    def test_gru(self):
        torch.manual_seed(0)
        ours, theirs = ClassGRUCell(4, 3, 5), nn.GRUCell(4 + 3, 5)
        with torch.no_grad():
            theirs.weight_ih.copy_(torch.cat([ours.vector.weight, ours.lookup.weight.T], 1))
            theirs.bias_ih.copy_(ours.vector.bias)
            theirs.weight_hh.copy_(ours.recurrent.weight)
            theirs.bias_hh.copy_(ours.recurrent.bias)
        vector, classes, hidden = torch.randn(2, 4), torch.tensor([2, 0]), torch.randn(2, 5)
        fed = torch.cat([vector, nn.functional.one_hot(classes, 3).float()], 1)
        torch.testing.assert_close(ours(vector, classes, hidden), theirs(fed, hidden))
        assert count_parameters(ours) == count_parameters(theirs)

    @pytest.mark.parametrize("classes", [torch.tensor([2, 0]), None])
    def test_lstm(self, classes):
        torch.manual_seed(0)
        ours, theirs = ClassLSTMCell(3, 5), nn.LSTMCell(3, 5)
        with torch.no_grad():
            theirs.weight_ih.copy_(ours.lookup.weight.T)
            theirs.bias_ih.copy_(ours.bias)
            theirs.weight_hh.copy_(ours.recurrent.weight)
            theirs.bias_hh.copy_(ours.recurrent.bias)
        state = torch.randn(2, 5), torch.randn(2, 5)
        fed = torch.zeros(2, 3) if classes is None else nn.functional.one_hot(classes, 3).float()
        for found, expected in zip(ours(classes, *state), theirs(fed, state), strict=True):
            torch.testing.assert_close(found, expected)
        assert count_parameters(ours) == count_parameters(theirs)


def test_one_attention_step_by_hand():
    """One unit, one feature, three time steps, two classes."""
    attend = HEADS.build("attention", {"hidden": 1, "max_length": 1}, 1, Charset.from_text("a"))
    with torch.no_grad():
        attend.key.weight.fill_(2.0)
        attend.query.weight.fill_(0.5)
        attend.query.bias.fill_(0.1)
        attend.score.weight.fill_(3.0)
        attend.cell.vector.weight.copy_(torch.tensor([[0.2], [-0.4], [1.5]]))
        attend.cell.vector.bias.copy_(torch.tensor([0.0, 0.3, -0.2]))
        attend.cell.lookup.weight.copy_(torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]))
        attend.cell.recurrent.weight.copy_(torch.tensor([[0.7], [0.8], [0.9]]))
        attend.cell.recurrent.bias.copy_(torch.tensor([0.0, 0.1, 0.2]))
        attend.linear.weight.copy_(torch.tensor([[1.0], [-2.0]]))
        attend.linear.bias.copy_(torch.tensor([0.5, 0.25]))
    x, hidden, fed = [0.0, 1.0, -0.5], 0.4, 1

    def sigmoid(value):
        return 1 / (1 + math.exp(-value))

    scores = [3 * math.tanh(2 * value + 0.5 * hidden + 0.1) for value in x]
    total = sum(map(math.exp, scores))
    weights = [math.exp(score) / total for score in scores]
    context = sum(w * value for w, value in zip(weights, x, strict=True))
    row = [0.4, 0.5, 0.6]  # of class 1
    reset = sigmoid(0.2 * context + row[0] + 0.7 * hidden)
    update = sigmoid(-0.4 * context + 0.3 + row[1] + 0.8 * hidden + 0.1)
    new = math.tanh(1.5 * context - 0.2 + row[2] + reset * (0.9 * hidden + 0.2))
    after = (1 - update) * new + update * hidden

    x_NTD = torch.tensor(x).reshape(1, 3, 1)
    state = x_NTD, attend.key(x_NTD), torch.tensor([[hidden]])
    assert attend.weights(state)[0].tolist() == pytest.approx(weights)
    logits, (_, _, found) = attend.step(state, torch.tensor([fed]))
    assert found.item() == pytest.approx(after)
    assert logits[0].tolist() == pytest.approx([after + 0.5, -2 * after + 0.25])


def test_attention_begins_with_zeros_and_class_0():
    attend = head("attention")
    x = sequence("attention")
    zero = torch.zeros(3, dtype=torch.long)
    assert torch.equal(attend.begin(x)[2], torch.zeros(3, 6))
    assert torch.equal(attend.step(attend.begin(x), None)[0], attend.step(attend.begin(x), zero)[0])


def test_an_lstm_begins_with_the_vector_and_no_class():
    write = head("lstm")
    x = sequence("lstm")
    hidden, cell = write.begin(x)
    assert torch.equal(hidden, x[:, 0])
    assert torch.equal(cell, torch.zeros(3, 8))
    without = write.step(write.begin(x), None)[0]
    assert not torch.allclose(without, write.step(write.begin(x), torch.zeros(3, dtype=torch.long))[0])


def test_two_directions_over_a_sequence_of_one():
    """What a bidirectional LSTM of torch gives for one step, its two states carried to the next."""
    write = head("lstm both")
    theirs = nn.LSTM(3, 8, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for cell, suffix in zip(write.cells, ("", "_reverse"), strict=True):
            getattr(theirs, f"weight_ih_l0{suffix}").copy_(cell.lookup.weight.T)
            getattr(theirs, f"bias_ih_l0{suffix}").copy_(cell.bias)
            getattr(theirs, f"weight_hh_l0{suffix}").copy_(cell.recurrent.weight)
            getattr(theirs, f"bias_hh_l0{suffix}").copy_(cell.recurrent.bias)
    x = sequence("lstm")
    labels = [[1, 2], [2, 2], [1, 1]]
    state = x[:, 0].expand(2, -1, -1).contiguous(), torch.zeros(2, 3, 8)
    fed, expected = torch.zeros(3, 1, 3), []
    for t in range(3):
        out, state = theirs(fed, state)
        expected.append(write.linear(out[:, 0]))
        if t < 2:
            classes = torch.tensor([label[t] for label in labels])
            fed = nn.functional.one_hot(classes, 3).float()[:, None]
    torch.testing.assert_close(write.follow(x, labels), torch.stack(expected, 1))


@pytest.mark.parametrize("kind", KINDS)
class TestWriting:
    def test_greedy_is_teacher_forcing_with_its_own_output(self, kind):
        write, x = head(kind), sequence(kind, lines=20)
        with torch.no_grad():
            logits = write(x)
            texts = [write.codec.encode(write.codec.decode(path)) for path in logits.argmax(-1).tolist()]
            forced = write.logits(write(x, texts))
        assert logits.shape == (20, 6, 3)
        assert len({len(text) for text in texts}) > 1
        for own, other, text in zip(logits, forced, texts, strict=True):
            count = min(len(text) + 1, 6)
            torch.testing.assert_close(own[:count], other[:count])
            assert (own[count:] == 0).all()

    def test_a_line_does_not_depend_on_the_others(self, kind):
        write, x = head(kind), sequence(kind, lines=20)
        with torch.no_grad():
            together, alone = write(x), torch.cat([write(line[None]) for line in x])
        torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-5)

    def test_the_right_class_before_is_what_counts(self, kind):
        """Another first label changes the second step and not the first."""
        write, x = head(kind), sequence(kind, lines=1)
        one, other = (write.logits(write(x, [label]))[0] for label in ([1, 1], [2, 1]))
        assert torch.equal(one[0], other[0])
        assert not torch.allclose(one[1], other[1])

    def test_only_the_steps_that_count_are_made(self, kind):
        write, x = head(kind), sequence(kind, lines=2)
        assert write.logits(write(x, [[1], [2, 2]])).shape == (2, 3, 3)
        whole = head(kind, masked=False)
        assert whole.logits(whole(x, [[1], [2, 2]])).shape == (2, 6, 3)

    def test_loss_and_entropy(self, kind):
        write, x, labels = head(kind), sequence(kind, lines=2), [[], [2, 1]]
        output = write(x, labels)
        log_probs = write.logits(output).log_softmax(-1)
        expected = -(log_probs[0, 0, 0] + log_probs[1, 0, 2] + log_probs[1, 1, 1] + log_probs[1, 2, 0]) / 2
        if kind.startswith("lstm"):  # the length of the text is guessed, too
            lengths = write.length(x[:, 0]).log_softmax(-1)
            expected = expected - (lengths[0, 0] + lengths[1, 2]) / 2
        assert write.loss(output, labels).item() == pytest.approx(expected.item(), rel=1e-5)
        p = log_probs.exp()
        entropy = -(p * log_probs).sum(-1)
        assert write.entropy(output, labels).item() == pytest.approx(((entropy[0, 0] + entropy[1].sum()) / 2).item())

    def test_every_parameter_learns(self, kind):
        write = head(kind)
        write.loss(write(sequence(kind), labels := [[1], [2, 1], []]), labels).backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in write.parameters())

    def test_the_cost_is_that_of_the_longest_text(self, kind):
        write = head(kind)
        neck = part("latent", features=8) if write.single else part("fold")
        model = recognizer(neck, part(kind.split()[0], **KINDS[kind]))
        assert not model.head.whole
        (cost,) = [c.multiply_adds for c in part_costs(model, 32) if c.part == "head"]
        steps, d, u, k, t = 6, model.neck.features, 6, 3, 8
        if kind == "attention":
            assert cost == t * d * u + steps * (u * u + t * u + 3 * u * d + 3 * u * u + u * k)
        else:
            directions = len(write.cells)
            assert cost == steps * directions * (4 * d * d + d * k)
        assert not model.head.whole


def test_without_a_mask_attention_learns_stops_after_the_stop():
    attend, x = head("attention", masked=False), sequence("attention", lines=1)
    log_probs = (output := attend(x, [[1]])).log_softmax(-1)[0]
    expected = -(log_probs[0, 1] + log_probs[1:, 0].sum())
    assert attend.loss(output, [[1]]).item() == pytest.approx(expected.item(), rel=1e-5)


def test_without_a_mask_an_lstm_learns_the_first_character_after_the_stop():
    """As the source did, whose class 0 was the digit 0 and filled the label up."""
    write, x = head("lstm", masked=False, length_weight=0.0), sequence("lstm", lines=1)
    log_probs = write.logits(output := write(x, [[2]])).log_softmax(-1)[0]
    expected = -(log_probs[0, 2] + log_probs[1, 0] + log_probs[2:, 1].sum())
    assert write.loss(output, [[2]]).item() == pytest.approx(expected.item(), rel=1e-5)


def test_without_a_teacher_it_follows_itself():
    attend, x = head("attention", teacher=False), sequence("attention", lines=5)
    longest = [[1] * 5] * 5
    with torch.no_grad():
        followed, written = attend(x, longest), head("attention")(x)
    ended = (written.argmax(-1) == 0).cumsum(1) > 0
    assert torch.allclose(followed[~ended], written[~ended], atol=1e-6)
    other = attend(x, [[2] * 5] * 5)
    torch.testing.assert_close(followed, other.detach())


def test_the_weight_of_the_length():
    labels, x = [[1], [2, 1], []], sequence("lstm")
    losses = {}
    for weight in (0.0, 1.0, 2.0):
        write = head("lstm", length_weight=weight, dropout=0.0)
        losses[weight] = write.loss(write(x, labels), labels).item()
        assert (write.length is None) == (weight == 0)
    assert losses[2.0] - losses[1.0] == pytest.approx(losses[1.0] - losses[0.0], rel=1e-4)


def test_the_parameters_of_rare():
    """Attention, GRU and generator of lightweight-OCR's RARE: 64 features, 32 units, 3,940 classes."""
    chars = Charset(tuple(chr(0x4E00 + i) for i in range(3939)))
    attend = HEADS.build("attention", {"hidden": 32}, 64, chars)
    by_hand = 64 * 32 + (32 * 32 + 32) + 32 + (3 * 32 * (64 + 3940 + 32) + 6 * 32) + (32 * 3940 + 3940)
    assert count_parameters(attend) == by_hand == 520_804


def test_the_parameters_of_the_cross_entropy_system():
    """512 features, 13 classes in the source (12 characters and the stop), at most 9 characters and the stop."""
    write = HEADS.build("lstm", {}, 512, Charset.from_text("0123456789.-"))
    assert count_parameters(write.cells) == 4 * 512 * (13 + 512) + 2 * 4 * 512
    assert count_parameters(write.linear) == 512 * 13 + 13
    assert count_parameters(write.length) == 512 * 10 + 10


class TestNecks:
    def test_pool_is_the_mean_over_rows(self):
        from glyphlet.models.necks import NECKS

        pool = NECKS.build("pool", {}, [2], [3])
        x = torch.arange(24.0).reshape(1, 2, 3, 4)
        assert pool.features == 2
        assert pool([x])[0].tolist() == [[4, 16], [5, 17], [6, 18], [7, 19]]

    def test_latent_is_linear_of_the_mean(self):
        from glyphlet.models.necks import NECKS

        latent = NECKS.build("latent", {"features": 2}, [9, 2], [8, 3])
        with torch.no_grad():
            latent.linear.weight.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
            latent.linear.bias.copy_(torch.tensor([0.5, 0.0]))
        x = torch.arange(24.0).reshape(1, 2, 3, 4)  # means 5.5 and 17.5
        assert latent([torch.zeros(1, 9, 8, 4), x]).tolist() == [[[23.5, 0.0]]]
        assert latent.steps(80) == 1

    def test_latent_keeps_parts_of_the_line_apart(self):
        from glyphlet.models.necks import NECKS

        latent = NECKS.build("latent", {"features": 8, "columns": 2}, [9, 2], [8, 2])
        assert tuple(latent.linear.weight.shape) == (8, 2 * 2 * 2)
        with torch.no_grad():
            latent.linear.weight.copy_(torch.eye(8))
            latent.linear.bias.zero_()
        x = torch.arange(12.0).reshape(1, 2, 2, 3)  # rows 0 1 2, 3 4 5 of one channel, 6 7 8, 9 10 11 of the other
        # The middle column counts half as much as the outer one on either side: (0 + 1 / 2) / 1.5, (1 / 2 + 2) / 1.5.
        thirds = [row + part for row in (0, 3, 6, 9) for part in (1 / 3, 5 / 3)]
        torch.testing.assert_close(latent([x]), torch.tensor([[thirds]]))
        pairs = latent([torch.arange(16.0).reshape(1, 2, 2, 4)])
        torch.testing.assert_close(pairs, torch.tensor([[[0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5]]]))
        torch.testing.assert_close(latent([x[..., :1]]), torch.tensor([[[0.0, 0, 3, 3, 6, 6, 9, 9]]]))

    @pytest.mark.parametrize(("steps", "columns"), [(1, 1), (1, 8), (3, 8), (8, 8), (13, 8), (24, 8), (7, 1)])
    def test_shares_of_parts(self, steps, columns):
        """Each part's shares sum to 1, and every time step counts as much as any other."""
        from glyphlet.models.necks.latent import shares

        found = shares(steps, columns, torch.zeros(1))
        torch.testing.assert_close(found.sum(0), torch.ones(columns))
        torch.testing.assert_close(found.sum(1), torch.full((steps,), columns / steps))
        if steps % columns == 0:
            expected = torch.nn.functional.adaptive_avg_pool1d(torch.eye(steps)[None], columns)[0]
            torch.testing.assert_close(found, expected)

    def test_the_order_is_in_the_parts_and_not_in_the_mean(self):
        from glyphlet.models.necks import NECKS

        x = torch.rand(1, 3, 2, 8, generator=torch.Generator().manual_seed(1))
        for columns, same in ((0, True), (4, False)):
            torch.manual_seed(2)
            latent = NECKS.build("latent", {"features": 6, "columns": columns}, [3], [2])
            assert torch.allclose(latent([x]), latent([x.flip(3)]), atol=1e-6) is same

    def test_steps(self):
        assert recognizer(part("latent", features=8), part("lstm", max_length=5)).steps(640) == 6
        assert recognizer(part("latent", features=8, columns=8), part("lstm", max_length=5)).steps(640) == 6
        assert recognizer(part("fold"), part("attention", max_length=5)).steps(8) == 6
        assert recognizer(part("pool"), part("ctc")).steps(640) == 160


class TestRefusals:
    def test_ctc_after_a_vector(self):
        with pytest.raises(RecipeError, match="'ctc' needs a sequence that grows.*'latent' gives one of fixed length"):
            recognizer(part("latent"), part("ctc"))

    @pytest.mark.parametrize("neck", ["fold", "pool", "bilstm"])
    def test_an_lstm_after_a_sequence(self, neck):
        with pytest.raises(
            RecipeError, match=rf"'lstm' writes from one vector a line, and neck '{neck}'.*neck 'latent'"
        ):
            recognizer(part(neck), part("lstm"))

    def test_attention_after_a_vector_is_allowed(self):
        assert recognizer(part("latent", features=4), part("attention")).steps(64) == 26

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"name": "attention", "max_length": 0}, r"model\.head\.max_length is 0.*from 1 to 1000"),
            ({"name": "attention", "hidden": 0}, r"model\.head\.hidden is 0"),
            ({"name": "lstm", "max_length": 1001}, r"model\.head\.max_length is 1001"),
            ({"name": "lstm", "length_weight": -1}, "length_weight -1"),
            ({"name": "lstm", "dropout": 1.0}, "dropout 1.0"),
        ],
    )
    def test_options_out_of_range(self, options, message):
        neck = part("latent", features=4) if options["name"] == "lstm" else part("fold")
        with pytest.raises(RecipeError, match=message):
            recognizer(neck, part(**options))

    def test_a_vector_of_no_features(self):
        with pytest.raises(RecipeError, match=r"model\.neck\.features is 0"):
            recognizer(part("latent", features=0), part("lstm"))

    @pytest.mark.parametrize("columns", [-1, 257])
    def test_a_vector_of_too_many_parts(self, columns):
        with pytest.raises(RecipeError, match=rf"model\.neck\.columns is {columns}.*from 0 to 256"):
            recognizer(part("latent", columns=columns), part("lstm"))
