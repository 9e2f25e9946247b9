"""Named patterns against their definitions, on published examples and at random."""

import datetime
import random
import string

import pytest

from glyphlet.charset import Charset
from glyphlet.decode.named import NAMED, iban, named_automaton
from glyphlet.errors import RecipeError

ASCII = Charset.named("ascii")


@pytest.fixture(scope="module")
def automata():
    return {name: named_automaton(name, ASCII) for name in NAMED}


def accepts(automaton, text):
    return automaton.accepts([ASCII.index(char) + 1 for char in text])


def luhn(digits):
    total = sum(int(d) if place % 2 == 0 else sum(divmod(2 * int(d), 10)) for place, d in enumerate(digits[::-1]))
    return total % 10 == 0


def test_luhn(automata):
    rng = random.Random(0)
    texts = ["".join(rng.choices(string.digits, k=rng.randint(10, 21))) for _ in range(500)]
    for text in texts:
        assert accepts(automata["luhn"], text) == (luhn(text) and 12 <= len(text) <= 19)
    assert any(accepts(automata["luhn"], text) for text in texts)
    for text, legal in {
        "4539 1488 0343 6467": True, "4539-1488-0343-6467": True, "4539 1488 0343 6468": False, "4539  1488 0343 6467": False,
        " 4539148803436467": False, "4539148803436467 ": False,
    }.items():  # fmt: skip
        assert accepts(automata["luhn"], text) == legal


def test_containers(automata):
    assert accepts(automata["iso6346"], "CSQU3054383")  # the example of the standard
    assert [d for d in string.digits if accepts(automata["iso6346"], "CSQU305438" + d)] == ["3"]
    values = dict(zip(string.ascii_uppercase, [v for v in range(10, 39) if v % 11], strict=True))
    rng = random.Random(0)
    for _ in range(100):
        text = (
            "".join(rng.choices(string.ascii_uppercase, k=3))
            + rng.choice("UJZ")
            + "".join(rng.choices(string.digits, k=6))
        )
        check = sum(values.get(c, ord(c) - 48) * 2**i for i, c in enumerate(text)) % 11 % 10
        assert [accepts(automata["iso6346"], text + d) for d in string.digits].index(True) == check
    assert not accepts(automata["iso6346"], "CSQA3054383")


def test_the_passport_of_the_standard(automata):
    line = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
    assert accepts(automata["mrz-td3"], line)
    for place in range(44):
        for other in "0A<":
            changed = line[:place] + other + line[place + 1 :]
            assert accepts(automata["mrz-td3"], changed) == (mrz(changed) and shape(changed)), changed


@pytest.mark.parametrize(
    ("name", "line", "checks"),
    [
        ("mrz-td1-number", "I<UTOD231458907<<<<<<<<<<<<<<<", {14: (5, 14)}),
        ("mrz-td1-dates", "7408122F1204159UTO<<<<<<<<<<<6", {6: (0, 6), 14: (8, 14)}),
        ("mrz-td1-names", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<", {}),
        ("mrz-td2", "D231458907UTO7408122F1204159<<<<<<<6", {9: (0, 9), 19: (13, 19), 27: (21, 27)}),
        ("mrz-td2-names", "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", {}),
        ("mrz-td3-names", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", {}),
    ],
)
def test_the_other_lines_of_the_standard(automata, name, line, checks):
    """The specimens of ICAO Doc 9303, parts 4 to 6."""
    assert accepts(automata[name], line)
    assert not accepts(automata[name], line[:-1])
    assert not accepts(automata[name], line + "<")
    for place, (first, stop) in checks.items():
        total = sum("<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(c) and int(c, 36) * (7, 3, 1)[i % 3]
                    for i, c in enumerate(line[first:stop]))  # fmt: skip
        assert int(line[place]) == total % 10
        wrong = str((int(line[place]) + 1) % 10)
        assert not accepts(automata[name], line[:place] + wrong + line[place + 1 :])
    last = [digit for digit in string.digits if accepts(automata[name], line[:-1] + digit)]
    assert last == {"mrz-td2": ["6"], "mrz-td1-dates": list(string.digits), "mrz-td1-number": list(string.digits)}.get(
        name, []
    )


def mrz(line):
    def check(text):
        values = {"<": 0} | {c: i for i, c in enumerate(string.digits + string.ascii_uppercase)}
        return sum(values[c] * (7, 3, 1)[i % 3] for i, c in enumerate(text)) % 10

    fields = [(line[:9], line[9]), (line[13:19], line[19]), (line[21:27], line[27]), (line[28:42], line[42])]
    fields.append((line[:10] + line[13:20] + line[21:43], line[43]))
    return all(str(check(text)) == digit.replace("<", "0") for text, digit in fields)


def shape(line):
    digits = [line[i] for i in (9, *range(13, 20), *range(21, 28), 43)]
    letters = line[10:13].replace("<", "A")
    return all(d.isdigit() for d in digits) and letters.isalpha() and line[20] in "MFX<" and not line[42].isalpha()


def test_dates(automata):
    day = datetime.date(1896, 1, 1)
    while day < datetime.date(1905, 1, 1):  # 1900 was no leap year
        for layout in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"):
            assert accepts(automata["date"], day.strftime(layout))
        assert accepts(automata["date-us"], day.strftime("%m/%d/%Y"))
        day += datetime.timedelta(days=1)
    for text in (
        "29.02.1900",
        "30.02.2024",
        "31.04.2024",
        "00.01.2024",
        "01.13.2024",
        "1.1.2024",
        "2024-02-30",
        "29.02.2023",
    ):
        assert not accepts(automata["date"], text)
    assert accepts(automata["date"], "29.02.2024")
    assert accepts(automata["date"], "29.02.2000")


def test_ibans_are_proposed_by_form_and_checked_by_remainder(automata):
    for text in (
        "DE89370400440532013000",
        "GB82 WEST 1234 5698 7654 32",
        "NO9386011117947",
        "FR14 2004 1010 0505 0001 3M02 606",
    ):
        assert accepts(automata["iban"], text)
        assert NAMED["iban"].check(text)
    for text in (
        "DE8937040044053201300",
        "XX89370400440532013000",
        "GB82  WEST 1234 5698 7654 32",
        "DE89 370400440532013000",
    ):
        assert not accepts(automata["iban"], text)
    assert accepts(automata["iban"], "DE88370400440532013000")
    assert not iban("DE88370400440532013000")
    assert not iban("")
    assert [name for name, named in NAMED.items() if named.check] == ["iban"]


def test_a_charset_without_its_characters():
    with pytest.raises(RecipeError, match="'mrz-td3' needs characters that the model cannot write"):
        named_automaton("mrz-td3", Charset.named("digits"))
