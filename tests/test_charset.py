from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.charset import NAMED, Charset, describe, normalize, unknown_report
from glyphlet.errors import CharsetError
from glyphlet.spec import CharsetSpec


@pytest.mark.parametrize("name", NAMED)
def test_every_named_charset_is_valid(name):
    charset = Charset.named(name)
    assert charset.text == NAMED[name]
    assert [charset.index(c) for c in charset.characters] == list(range(charset.size))


def test_alphanumeric_has_the_order_of_micro_ocr():
    charset = Charset.named("alphanumeric")
    assert charset.size == 62
    assert (charset.index("0"), charset.index("9"), charset.index("a"), charset.index("A")) == (0, 9, 10, 36)


def test_western_has_what_western_europe_prints():
    western = Charset.named("western")
    assert western.size == 206
    assert western.text.startswith(NAMED["ascii"])
    assert not western.unknown(["“Straße”, «façade» – 5 € … Œuvre, Žižek, ¿señor?, „ångström“, £3 ½ © n° 4‰"])
    assert set(western.unknown(["a\u00a0b\u00add\u00b4e", "ł", "−"])) == set("\u00a0\u00ad\u00b4ł−")


def test_chinese_is_gb_2312_with_ascii_and_the_marks_of_chinese_texts():
    common, whole = Charset.named("chinese-common"), Charset.named("chinese")
    chinese = [[c for c in charset.text if "\u4e00" <= c <= "\u9fff"] for charset in (common, whole)]
    assert [len(part) for part in chinese] == [3755, 6763]
    assert chinese[1][:3755] == chinese[0]
    assert [chinese[1][i] for i in (0, 3754, 3755, 6762)] == ["啊", "座", "亍", "齄"]
    assert whole.size - 6763 == common.size - 3755 == 95 + 92 + 8
    assert not whole.unknown([NAMED["ascii"], "“你好，世界！”——《第１章》…".replace("１", "1"), "5～8℃；（甲）·￥3"])
    assert set(whole.unknown(["Ａ１ 台灣\u3000"])) == set("Ａ１灣\u3000")


def test_chinese_folded_to_half_width_has_one_comma():
    folded = CharsetSpec(name="chinese", half_width=True).resolve([])
    assert Charset.named("chinese").size - folded.size == len("～！（），：；？")
    assert (folded.normalize("你好，Ａ"), "，" in folded, "￥" in folded) == ("你好,A", False, True)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(CharsetError, match="no charset named 'klingon'.*Allowed: .*digits"):
        Charset.named("klingon")


def test_labels_give_each_character_once_in_code_point_order():
    assert Charset.from_labels(["b a", "aé", "e\u0301"]).text == " abé"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\nb\n \n", "ab "),
        (b"\xef\xbb\xbfa\r\nb", "ab"),
        ("好\né\n\n\n".encode(), "好é"),
    ],
)
def test_files(tmp_path, content, text):
    path = tmp_path / "chars.txt"
    path.write_bytes(content)
    assert Charset.from_file(path).text == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\na\n", r"'a' \(U\+0061 LATIN SMALL LETTER A\) more than once"),
        (b"a\n\nb\n", "line 2 is empty"),
        (b"ab\nc\n", "not one character but 2"),
        (b"", "the charset is empty"),
        ("好\n".encode("gb18030"), "is not UTF-8"),
        ("\u212b\n".encode(), "changes under the text normalisation"),  # the Angstrom sign becomes a letter in NFC
    ],
)
def test_bad_files_are_refused_with_the_reason(tmp_path, content, message):
    path = tmp_path / "chars.txt"
    path.write_bytes(content)
    with pytest.raises(CharsetError, match=message):
        Charset.from_file(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CharsetError, match=r"nothing\.txt cannot be read"):
        Charset.from_file(tmp_path / "nothing.txt")


def test_half_width_folding_is_asked_for():
    assert normalize("ＡＢ　１！") == "ＡＢ　１！"
    assert normalize("ＡＢ　１！", half_width=True) == "AB 1!"
    assert Charset.from_labels(["Ａ１"], half_width=True).text == "1A"
    with pytest.raises(CharsetError, match="half-width"):
        Charset.from_text("Ａ", half_width=True)


@given(st.text(max_size=20), st.booleans())
def test_normalisation_is_idempotent(text, half):
    once = normalize(text, half)
    assert normalize(once, half) == once


def test_unknown_characters_are_counted_over_all_texts():
    counts = Charset.named("digits").unknown(["1a2", "a", "é", "345"])
    assert counts == Counter({"a": 2, "é": 1})
    assert unknown_report(counts, "train.txt") == (
        "train.txt: 2 characters are not in the charset: 'a' (U+0061 LATIN SMALL LETTER A) 2 times, "
        "'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE) 1 times"
    )
    assert unknown_report(Counter(), "train.txt") == ""


def test_a_nameless_character_is_described_too():
    assert describe("\x01") == r"'\x01' (U+0001 no name)"


class TestCase:
    def test_labels_meet_a_charset_in_its_case(self):
        lower = Charset.from_labels(["Ab1", "aÉ"], case="lower")
        assert (lower.text, lower.normalize("BÉ"), lower.unknown(["AB"])) == ("1abé", "bé", {})
        assert Charset.from_labels(["Straße"], case="upper").text == "AERST"

    def test_a_character_of_another_case_is_refused(self):
        with pytest.raises(CharsetError, match=r"'A'.*changes.*lower case.*write 'a'"):
            Charset.from_text("aA", case="lower")

    def test_plain_values_make_it_again(self):
        for charset in (Charset.from_text("ab", case="lower"), Charset.from_text("aB", half_width=True)):
            assert Charset.from_text(**charset.to_dict()) == charset

    def test_a_named_charset_loses_the_other_case(self):
        assert CharsetSpec(name="alphanumeric", case="lower").resolve([]).text == NAMED["lowercase36"]
