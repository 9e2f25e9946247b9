"""Patterns that have a name: `luhn`, `iban`, `iso6346`, `date`, `date-us`, and the lines of machine-readable zones.

Their check digits are part of the automaton wherever that stays small: the state then holds the sums so far, so that the
best text *with right check digits* wins, exactly as the best legal text of any pattern does.

    luhn       12 to 19 digits, single spaces or hyphens between them    automaton   ISO/IEC 7812-1, annex B
    iso6346    a freight container, CSQU3054383                          automaton   ISO 6346
    mrz-td3    the second line of a passport                             automaton   ICAO Doc 9303, parts 3 and 4
    mrz-td2    the second line of a TD2 document                         automaton   the same, part 6
    mrz-td1-number, mrz-td1-dates    lines 1 and 2 of an identity card   automaton   the same, part 5
    mrz-td1-names, mrz-td2-names, mrz-td3-names    the line with names   automaton   no check digit
    date       2026-11-22, 22.11.2026, 22/11/2026, 22-11-2026            automaton   the Gregorian calendar, years 1000 to 2999
    date-us    11/22/2026                                                automaton   the same
    iban       DE89 3704 0044 0532 0130 00, spaces or none               n-best      ISO 13616, ISO 7064 (mod 97-10)

The last digit of the second line of an identity card is for places of both lines, so in one line it is any digit.

The check of an IBAN ties its first four characters to a remainder by 97 of all others, which takes 97 * 97 states for each
place. So the automaton of `iban` knows countries and lengths alone, and of the texts that it lets through the most
probable one with the right remainder is read.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from glyphlet.charset import Charset
from glyphlet.decode.automaton import Automaton, from_classes
from glyphlet.decode.pattern import compile_pattern
from glyphlet.errors import RecipeError

Follow = Callable[[Hashable, str], Hashable | None]
_VALUES = {char: value for value, char in enumerate(string.digits + string.ascii_uppercase)}
"""0 to 9, and A = 10 to Z = 35, as in MRZ and IBAN."""


@dataclass(frozen=True)
class Named:
    """A pattern with a name.

    Args:
        build: its automaton over a charset.
        check: what a text must pass beside; None where the automaton says it all.
    """

    build: Callable[[Charset], Automaton]
    check: Callable[[str], bool] | None = None


def explored(
    start: Hashable, follow: Callable[..., Hashable | None], ends: Callable[..., bool], alphabet: str
) -> Callable[[Charset], Automaton]:
    """An automaton from a function that follows a state by a character; None is nowhere.

    Args:
        start: the first state.
        follow: (state, character) to a state.
        ends: whether a text may end in a state.
        alphabet: the characters that can occur.
    """

    def build(charset: Charset) -> Automaton:
        chars = [char for char in alphabet if charset.normalize(char) in charset]
        numbers, states = {start: 0}, [start]
        moves: list[dict[int, int]] = []
        for state in states:  # it grows on the way
            moves.append({})
            for char in chars:
                if (target := follow(state, char)) is not None:
                    if target not in numbers:
                        numbers[target] = len(states)
                        states.append(target)
                    moves[-1][charset.index(charset.normalize(char)) + 1] = numbers[target]
        return from_classes(moves, [ends(state) for state in states])

    return build


# --- Luhn: from the right, every second digit counts twice; the sum of all digits is a multiple of 10 ---
SHORTEST, LONGEST = 12, 19
_TWICE = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_Luhn = tuple[int, int, int, bool]
"""Digits so far; the sum if an even number of digits is to come, the sum if an odd one is; whether a digit must follow."""


def _luhn(state: _Luhn, char: str) -> _Luhn | None:
    count, even, odd, gap = state
    if char in " -":
        return None if gap or count in (0, LONGEST) else (count, even, odd, True)
    if count == LONGEST:
        return None
    digit = int(char)
    return count + 1, (odd + digit) % 10, (even + _TWICE[digit]) % 10, False


def _luhn_ends(state: _Luhn) -> bool:
    return state[0] >= SHORTEST and state[1] == 0 and not state[3]


# --- ISO 6346: letters and digits times powers of 2, by 11, by 10 ---
_CONTAINER = dict(zip(string.ascii_uppercase, (n for n in range(10, 39) if n % 11), strict=False)) | {
    digit: int(digit) for digit in string.digits
}


def _container(state: tuple[int, int], char: str) -> tuple[int, int] | None:
    place, total = state
    allowed = (string.ascii_uppercase if place < 3 else "UJZ") if place < 4 else string.digits
    if place == 11 or char not in allowed:
        return None
    if place == 10:
        return (11, 0) if total % 11 % 10 == int(char) else None
    return place + 1, (total + (_CONTAINER[char] << place)) % 11


# --- MRZ: fields with a check digit each, and in some lines one for all of them; weights 7, 3, 1 ---
_FILLER = "<"
_WEIGHTS = (7, 3, 1)
_MRZ = string.digits + string.ascii_uppercase + _FILLER
_KINDS = {
    "x": _MRZ, "a": string.ascii_uppercase + _FILLER, "0": string.digits, "o": string.digits + _FILLER, "s": "MFX" + _FILLER,
    "p": "P", "i": "ACIV",
}  # fmt: skip


@dataclass(frozen=True)
class _MrzLine:
    """A line of a machine-readable zone.

    Args:
        kinds: for each place what may stand there, by the letters of `_KINDS`.
        fields: the place of each check digit, and the places that it is for.
        all: the places that the last character of the line is a check digit for; empty where there is none, or where it is also for
            places of another line.
    """

    kinds: str
    fields: dict[int, tuple[int, int]]
    all: tuple[int, ...] = ()

    def built(self) -> Callable[[Charset], Automaton]:
        """Its automaton over a charset."""
        end = len(self.kinds)
        places = [self._place(place) for place in range(end)]

        def follow(state: tuple[int, int, int], char: str) -> tuple[int, int, int] | None:
            """(place, the sum of the field so far, the sum of all so far) and a character."""
            place, field, total = state
            if place == end or char not in places[place][0]:
                return None
            _, inner, outer = places[place]
            value = _VALUES.get(char, 0)
            if (place in self.fields and field != value) or (self.all and place == end - 1 and total != value):
                return None
            if place == end - 1:
                return end, 0, 0
            return place + 1, (field + value * inner) % 10 if inner else 0, (total + value * outer) % 10

        return explored((0, 0, 0), follow, lambda state: state[0] == end, _MRZ)

    def _place(self, place: int) -> tuple[str, int, int]:
        """What may stand at a place, and its weights in its field and in the whole."""
        start = next((first for first, stop in self.fields.values() if first <= place < stop), None)
        inner = 0 if start is None else _WEIGHTS[(place - start) % 3]
        outer = _WEIGHTS[self.all.index(place) % 3] if place in self.all else 0
        return _KINDS[self.kinds[place]], inner, outer


_HOLDER = f"{9 * 'x'}0aaa{7 * '0'}s{7 * '0'}"
"""The number of the document, nationality, date of birth, sex, date of expiry: the second line of a passport and of TD2."""
_DATES_AND_NUMBER = {9: (0, 9), 19: (13, 19), 27: (21, 27)}
_MRZ_LINES = {
    "mrz-td1-number": _MrzLine(f"iaaaa{9 * 'x'}0{15 * 'x'}", {14: (5, 14)}),
    "mrz-td1-dates": _MrzLine(f"{7 * '0'}s{7 * '0'}aaa{11 * 'x'}0", {6: (0, 6), 14: (8, 14)}),
    "mrz-td1-names": _MrzLine(30 * "a", {}),
    "mrz-td2": _MrzLine(f"{_HOLDER}{7 * 'x'}0", _DATES_AND_NUMBER, (*range(10), *range(13, 20), *range(21, 35))),
    "mrz-td2-names": _MrzLine(f"i{35 * 'a'}", {}),
    "mrz-td3": _MrzLine(
        f"{_HOLDER}{14 * 'x'}o0", {**_DATES_AND_NUMBER, 42: (28, 42)}, (*range(10), *range(13, 20), *range(21, 43))
    ),
    "mrz-td3-names": _MrzLine(f"p{43 * 'a'}", {}),
}  # fmt: skip


# --- Dates ---
_LEAP = r"(?:[12]\d(?:0[48]|[2468][048]|[13579][26])|(?:1[26]|2[048])00)"
_YEAR = r"[12]\d{3}"
_DAYS = (
    ("(?:0[1-9]|[12]\\d|3[01])", "(?:0[13578]|1[02])", _YEAR),
    ("(?:0[1-9]|[12]\\d|30)", "(?:0[469]|11)", _YEAR),
    ("(?:0[1-9]|1\\d|2[0-8])", "02", _YEAR),
    ("29", "02", _LEAP),
)
"""Days, their months, their years."""


def _dates(*layouts: str) -> str:
    return "|".join(layout.format(d=d, m=m, y=y) for layout in layouts for d, m, y in _DAYS)


# --- IBAN ---
_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
    30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
"""The countries of each length, from the IBAN Registry of SWIFT."""


def _iban_pattern() -> str:
    options = []
    for length, countries in _LENGTHS.items():
        head = f"(?:{countries.replace(' ', '|')})\\d{{2}}"
        fours, rest = divmod(length - 4, 4)
        tail = f" [A-Z0-9]{{{rest}}}" if rest else ""
        options += [f"{head}[A-Z0-9]{{{length - 4}}}", f"{head}(?: [A-Z0-9]{{4}}){{{fours}}}{tail}"]
    return "|".join(options)


def iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 7064, mod 97-10); spaces and case do not count.

    >>> iban("GB82 WEST 1234 5698 7654 32"), iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    plain = text.replace(" ", "").upper()
    if len(plain) < 5 or not set(plain) <= _VALUES.keys():
        return False
    return int("".join(str(_VALUES[char]) for char in plain[4:] + plain[:4])) % 97 == 1


def _regular(pattern: str) -> Callable[[Charset], Automaton]:
    return lambda charset: compile_pattern(pattern, charset)


NAMED: dict[str, Named] = {
    "luhn": Named(explored((0, 0, 0, False), _luhn, _luhn_ends, string.digits + " -")),
    "iban": Named(_regular(_iban_pattern()), iban),
    "iso6346": Named(explored((0, 0), _container, lambda s: s[0] == 11, string.ascii_uppercase + string.digits)),
    **{name: Named(line.built()) for name, line in _MRZ_LINES.items()},
    "date": Named(_regular(_dates("{y}-{m}-{d}", r"{d}\.{m}\.{y}", "{d}/{m}/{y}", "{d}-{m}-{y}"))),
    "date-us": Named(_regular(_dates("{m}/{d}/{y}"))),
}  # fmt: skip
"""By name. A pattern that is one of these names means the named one; `(luhn)` is the word."""


def named_automaton(name: str, charset: Charset) -> Automaton:
    """The automaton of a named pattern.

    Raises:
        RecipeError: the charset cannot write any text of it.
    """
    found = NAMED[name].build(charset)
    if found.empty:
        raise RecipeError(
            f"the pattern {name!r} needs characters that the model cannot write",
            allowed=f"texts of the {charset.size} characters of the charset",
            next_step="choose a model that has them",
        )
    return found


__all__ = ["NAMED", "Named", "iban", "named_automaton"]
