"""Label files: every form of them gives back the texts that were written, or says which line is wrong."""

import csv
import gzip
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.data.formats.labels import read_dictionary
from glyphlet.data.open import open_lines
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec

HARD = ["1.50", " two  spaces ", 'a "quote"', "a,b;c|d", "好\u2028x\u0085y", "tab\tinside", "", "nul\0", "\\n", "🙂"]


def opened(tmp_path, content, name="labels.txt", lenient=False, **settings):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_lines(SourceSpec(path=str(path), **settings), lenient)


def texts(lines):
    return [lines.text(i) for i in range(len(lines))]


def images(lines):
    return [lines.image_name(i) for i in range(len(lines))]


class TestTsv:
    def test_texts_are_as_written(self, tmp_path):
        lines = opened(tmp_path, "".join(f"{i}.png\t{text}\n" for i, text in enumerate(HARD)))
        assert lines.format == "tsv"
        assert texts(lines) == HARD
        assert lines[3].source == tmp_path / "3.png"
        assert lines[-1].origin == f"{tmp_path / 'labels.txt'} line 10"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_marks_line_ends_and_blank_lines(self, tmp_path, encoding, end):
        lines = opened(tmp_path, f"a.png\té{end}{end}{end}b.png\t好{end}c.png\tx".encode(encoding))
        assert texts(lines) == ["é", "好", "x"]
        assert [lines.origin(i).rpartition(" ")[2] for i in range(3)] == ["1", "4", "5"]

    @pytest.mark.parametrize(("encoding", "text"), [("gb18030", "好𠀀"), ("gbk", "好"), ("cp1252", "né"), ("utf-16-le", "好"), ("shift_jis", "ソ表"), ("big5", "許")])  # fmt: skip
    def test_named_encodings(self, tmp_path, encoding, text):
        assert texts(opened(tmp_path, f"a.png\t{text}\n".encode(encoding), encoding=encoding)) == [text]

    def test_an_unknown_encoding(self, tmp_path):
        with pytest.raises(LabelError, match="encoding is 'utf-9'.*gb18030"):
            opened(tmp_path, b"a\tb\n", encoding="utf-9")

    def test_utf16_without_a_mark_is_said(self, tmp_path):
        with pytest.raises(LabelError, match="looks like UTF-16 without a byte order mark.*utf-16-le"):
            opened(tmp_path, "a.png\tabc\n".encode("utf-16-le"))

    def test_a_chinese_file_is_named_and_a_conversion_told(self, tmp_path):
        with pytest.raises(LabelError, match=r"line 1 is not UTF-8.*iconv -f GB18030 -t UTF-8 labels.txt"):
            opened(tmp_path, "a.png\t中文\n".encode("gbk"))

    def test_mixed_encodings_name_the_lines(self, tmp_path):
        content = "a.png\t好\n".encode() + "b.png\t好\n".encode("gbk") + b"c.png\tx\n" + "d.png\té\n".encode("latin-1")
        with pytest.raises(LabelError, match=r"line 2 is not UTF-8. 1 more: .*line 4 is not UTF-8.*mixes encodings"):
            opened(tmp_path, content)
        lines = opened(tmp_path, content, lenient=True)
        assert texts(lines) == ["好", "x"]
        assert lines.origin(1).endswith("line 3")

    def test_lenient_lists_every_malformed_line(self, tmp_path):
        lines = opened(tmp_path, b"a.png\t1\nb.png 2\n\n\tx\nc.png\t3\n\xff\t\n", lenient=True)
        assert texts(lines) == ["1", "3"]
        assert [p.problem.partition("labels.txt ")[2] for p in lines.problems] == [
            "line 2 has no tab: 'b.png 2'",
            "line 4 has no path: '\\tx'",
            "line 6 is not UTF-8",
        ]
        assert lines.origin(1).endswith("line 5")

    def test_many_malformed_lines_are_counted(self, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.data.files.textfile.MAX_PROBLEMS", 3)
        lines = opened(tmp_path, b"x\n" * 10 + b"a\tb\n", lenient=True)
        assert len(lines.problems) == 4
        assert lines.problems[-1].problem.endswith("has 7 more malformed lines")
        assert lines.malformed == 10
        assert texts(lines) == ["b"]

    def test_pieces_of_any_size_give_the_same_lines(self, tmp_path, monkeypatch):
        content = "".join(f"{i}.png\t{'好' * (i % 7)}{i}\r\n" + "\n" * (i % 3 == 0) for i in range(200)) + "end.png\tx"
        whole = opened(tmp_path, content)
        monkeypatch.setattr("glyphlet.data.files.textfile.PIECE", 64)
        pieces = opened(tmp_path, content)
        assert texts(pieces) == texts(whole)
        assert [pieces.origin(i) for i in range(201)] == [whole.origin(i) for i in range(201)]

    def test_old_mac_line_ends(self, tmp_path):
        with pytest.raises(LabelError, match="carriage returns alone"):
            opened(tmp_path, b"a.png\t1\rb.png\t2\rc.png\t3\rd.png\t4\r")

    def test_no_line_end_at_all(self, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.data.files.textfile.LONGEST", 1000)
        monkeypatch.setattr("glyphlet.data.files.textfile.PIECE", 100)
        with pytest.raises(LabelError, match="so it is no label file"):
            opened(tmp_path, b"\x07" * 5000)

    def test_a_file_that_shrinks_is_an_error_not_a_crash(self, tmp_path):
        lines = opened(tmp_path, "".join(f"{i}.png\t{i}\n" for i in range(1000)))
        (tmp_path / "labels.txt").write_bytes(b"0.png\t0\n")
        with pytest.raises(LabelError, match=r"labels.txt has been cut off since it was opened: 0 of \d+ bytes"):
            lines.text(500)

    def test_pickles_as_settings(self, tmp_path):
        lines = opened(tmp_path, "a.png\tx\nb.png\ty\n")
        data = pickle.dumps(lines)
        assert len(data) < 1500
        again = pickle.loads(data)
        assert texts(again) == ["x", "y"]
        lines.close()
        assert lines.text(1) == "y"  # opens again

    def test_backslashes_of_windows(self, tmp_path):
        (tmp_path / "images").mkdir()
        (tmp_path / "images" / "a.png").write_bytes(b"x")
        lines = opened(tmp_path, "images\\a.png\t1\n")
        assert lines[0].source == tmp_path / "images/a.png"
        assert "backslashes" in lines.notes[0]

    def test_a_folder_of_images(self, tmp_path):
        (tmp_path / "pictures").mkdir()
        lines = opened(tmp_path, "a.png\t1\n", images=str(tmp_path / "pictures"))
        assert lines.path(0) == tmp_path / "pictures" / "a.png"

    def test_compressed_files(self, tmp_path):
        with pytest.raises(LabelError, match="is compressed with gzip.*gunzip"):
            opened(tmp_path, gzip.compress(b"a\tb\n"))


class TestSpaced:
    def test_the_text_may_hold_spaces(self, tmp_path):
        lines = opened(tmp_path, "a.jpg one two \nb.jpg   雷斯勒 x\nc d.jpg  e\nf.jpg \n")
        assert lines.format == "spaced"
        assert list(zip(images(lines), texts(lines), strict=True)) == [
            ("a.jpg", "one two "),
            ("b.jpg", "雷斯勒 x"),
            ("c d.jpg", "e"),
            ("f.jpg", ""),
        ]

    def test_a_line_without_a_space(self, tmp_path):
        with pytest.raises(LabelError, match="line 2 has no space: 'b.jpg'"):
            opened(tmp_path, "a.jpg x\nb.jpg\n")

    def test_numbers_only_may_be_indices(self, tmp_path):
        lines = opened(tmp_path, "a.jpg 12 5 77\nb.jpg 3 4\n")
        assert texts(lines) == ["12 5 77", "3 4"]
        assert "name the dictionary" in lines.notes[0]


class TestIndexed:
    def write(self, tmp_path, *entries, encoding="utf-8"):
        path = tmp_path / "chars.txt"
        path.write_bytes("".join(f"{entry}\n" for entry in entries).encode(encoding))
        return str(path)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
    def test_360cc(self, tmp_path, encoding):
        dictionary = self.write(tmp_path, "blank", "，", "的", " ", encoding=encoding)
        lines = opened(tmp_path, "20_1.jpg 2 1 3 2\n20 2.jpg 1\n3.jpg\n", dictionary=dictionary)
        assert lines.format == "indexed"
        assert texts(lines) == ["的， 的", "，", ""]
        assert images(lines) == ["20_1.jpg", "20 2.jpg", "3.jpg"]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("a.jpg 4", "line 1 has index 4, and .*chars.txt has 4 lines, 0 to 3.*if indices count from 1"),
            ("a.jpg 1 0", "line 1 has index 0, the blank, which is no character"),
            ("a.jpg 2 3", "line 1 has index 3, an empty line of the dictionary"),
            ("a.jpg 1 x 2", "line 1 has '2'|line 1 has 'x'"),
            (" 1 2", "line 1 has no path"),
        ],
    )
    def test_wrong_indices_are_named(self, tmp_path, line, message):
        (tmp_path / "chars.txt").write_text("blank\na\nb\n\n", encoding="utf-8")
        with pytest.raises(LabelError, match=message):
            opened(tmp_path, line + "\n", dictionary=str(tmp_path / "chars.txt"))

    def test_a_dictionary_is_needed(self, tmp_path):
        with pytest.raises(LabelError, match="no dictionary is named"):
            opened(tmp_path, "a.jpg 1\n", format="indexed")

    def test_codes_that_gbk_does_not_have_are_kept_and_said(self, tmp_path):
        (tmp_path / "chars.txt").write_bytes(b"blank\n" + "的\n".encode("gbk") + b"\xaa\xa5\n\xac\xc7\n")
        for encoding in ("auto", "gbk"):
            entries, notes = read_dictionary(str(tmp_path / "chars.txt"), encoding)
            assert len(entries) == 4
            assert entries[:2] == ["", "的"]
            assert all(0xE000 <= ord(entry) <= 0xF8FF for entry in entries[2:])
            assert "2 entries of the dictionary are private-use characters" in notes[-1]
            assert "line 3 U+" in notes[-1]


class TestCsv:
    def test_values_stay_text(self, tmp_path):
        lines = opened(tmp_path, "filename;value\n1.jpg;1.50\n2.jpg;007\n3.jpg;\n", "values.txt")
        assert lines.format == "csv"
        assert texts(lines) == ["1.50", "007", ""]
        assert lines.origin(1).endswith("line 3")

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "#"])
    def test_quotes_and_line_breaks(self, tmp_path, delimiter):
        hard = [*HARD, "two\nlines", 'x"\n"y', "\n\n"]
        path = tmp_path / "l.csv"
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
            writer.writerow(["page", "Text", "image"])
            writer.writerows([[i % 2, text, f"{i}.png"] for i, text in enumerate(hard)])
        settings = {"delimiter": delimiter} if delimiter == "#" else {}
        lines = open_lines(SourceSpec(path=str(path), group_column="page", **settings))
        assert texts(lines) == hard
        assert images(lines) == [f"{i}.png" for i in range(len(hard))]
        assert [lines.group(i) for i in (0, 1)] == ["0", "1"]
        assert lines.origin(len(hard) - 1).endswith(f"line {len(hard) + 3}")  # line breaks are counted

    def test_pieces_of_any_size_give_the_same_records(self, tmp_path, monkeypatch):
        content = "file,text\n" + "".join(f'{i}.png,"a\n""{i}"" b\n"\n{i}b.png,x\n' for i in range(50))
        whole = opened(tmp_path, content, "l.csv")
        monkeypatch.setattr("glyphlet.data.files.textfile.PIECE", 50)
        pieces = opened(tmp_path, content, "l.csv")
        assert texts(pieces) == texts(whole) == [t for i in range(50) for t in (f'a\n"{i}" b\n', "x")]
        assert pieces.origin(99) == whole.origin(99)

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("a.png;1;2", "line 2 has 3 columns, the first line has 2"),
            ("a.png", "line 2 has 1 columns"),
            (";1", "line 2 has no path"),
            ('a.png;"x', "line 2 has a quote at a wrong place"),
            ('a.png;"x"y', "line 2 has a quote at a wrong place"),
        ],
    )
    def test_malformed_records(self, tmp_path, row, message):
        with pytest.raises(LabelError, match=message):
            opened(tmp_path, f"filename;value\n{row}\nb.png;2\n")

    def test_a_stray_quote_is_text(self, tmp_path):
        assert texts(opened(tmp_path, 'file;text\na.png;5" x\nb.png;y"\n')) == ['5" x', 'y"']

    def test_no_header(self, tmp_path):
        with pytest.raises(LabelError, match="no header with a column.*'a.png,1'.*to their numbers from 1"):
            opened(tmp_path, "a.png,1\nb.png,2\n", "l.csv")
        lines = opened(tmp_path, "a.png,1\nb.png,2\n", "l.csv", image_column="1", text_column="2")
        assert texts(lines) == ["1", "2"]
        assert lines.origin(0).endswith("line 1")

    def test_columns_of_ones_own(self, tmp_path):
        lines = opened(tmp_path, "Bild|Lesung\na|b\n", image_column="bild", text_column="Lesung")
        assert (images(lines), texts(lines)) == (["a"], ["b"])
        with pytest.raises(LabelError, match="columns named 'bild' and 'x'"):
            opened(tmp_path, "Bild|Lesung\na|b\n", image_column="bild", text_column="x")

    def test_blank_lines_and_excel_before_the_header(self, tmp_path):
        lines = opened(tmp_path, "\nsep=#\n\nfile#text\na#x;y\n", "l.csv")
        assert (texts(lines), lines.origin(0)[-6:]) == (["x;y"], "line 5")
        assert opened(tmp_path, "sep=|\r\nfile|text\r\na|x\r\n").format == "csv"

    def test_gbk(self, tmp_path):
        lines = opened(
            tmp_path, "file|text\na|\x81\n".encode("latin-1") + "b|亅\n".encode("gbk"), encoding="gbk", lenient=True
        )
        assert texts(lines) == ["亅"]


class TestJson:
    def test_json_lines(self, tmp_path):
        rows = "".join(json.dumps({"image": f"{i}.png", "text": text}) + "\n" for i, text in enumerate(HARD))
        lines = opened(tmp_path, rows)
        assert lines.format == "jsonl"
        assert texts(lines) == HARD

    def test_numbers_stay_as_written_and_fields_may_vary(self, tmp_path):
        lines = opened(
            tmp_path, ' {"file_name": "a", "label": 1.50} \n{"label":"x","File_Name":"b","page":3}\n', "l.jsonl"
        )
        assert (images(lines), texts(lines)) == (["a", "b"], ["1.50", "x"])

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ('{"image": "a"', "line 2 is no JSON"),
            ("[1]", "line 2 is no JSON object"),
            ('{"image": "a"}', "line 2 has no field for a text"),
            ('{"image": "a", "text": null}', "line 2 has no text in field 'text'"),
            ('{"image": "", "text": "x"}', "line 2 has no path"),
            ('{"image": "a", "text": "\\ud800"}', "line 2 has half of a character"),
            ("[" * 100_000, "line 2 is"),
            ("", "the last"),
        ],
    )
    def test_malformed_records(self, tmp_path, row, message):
        content = '{"image": "0", "text": "x"}\n' + row + '\n{"image": "1"}\n'
        with pytest.raises(LabelError, match=message if row else "line 3 has no field for a text"):
            opened(tmp_path, content, "l.jsonl")

    def test_doctr(self, tmp_path):
        (tmp_path / "images").mkdir()
        (tmp_path / "images" / "0.png").write_bytes(b"")
        entries = {f"{i}.png": text for i, text in enumerate(HARD)}
        lines = opened(tmp_path, json.dumps(entries, indent=2), "labels.json")
        assert lines.format == "doctr"
        assert texts(lines) == HARD
        assert lines[0].source == tmp_path / "images" / "0.png"
        assert lines.origin(1).endswith("labels.json entry '1.png'")

    def test_doctr_keeps_doubled_names_and_nested_texts(self, tmp_path):
        lines = opened(tmp_path, '{"a": "1", "a": {"label": 1.50}, "b": "2"}', "labels.json")
        assert texts(lines) == ["1", "1.50", "2"]
        assert "1 images stand in it more than once" in lines.notes[0]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('{"a": "1", "b"', "is no JSON"),
            ('[{"image": "a"}]', "is a JSON array.*jq -c"),
            ("{}", "holds no labels"),
            ('{"a": {"polygons": [], "img_hash": "x"}}', "entry 'a' has polygons.*detection"),
            ('{"a": [], "b": null}', r"entry 'a' has no text: \[\]. 1 more: .*entry 'b'"),
        ],
    )
    def test_doctr_malformed(self, tmp_path, content, message):
        with pytest.raises(LabelError, match=message):
            opened(tmp_path, content, "labels.json")


class TestGroups:
    def test_folder_and_pattern(self, tmp_path):
        content = "a/1.png\tx\nb/p2_1.png\ty\n"
        by_folder = opened(tmp_path, content, group="folder")
        assert [by_folder.group(i) for i in (0, 1)] == ["a", "b"]
        by_page = opened(tmp_path, content, group=r"(p\d+)_")
        assert [by_page.group(i) for i in (0, 1)] == ["", "p2"]
        assert by_page.grouped
        assert not opened(tmp_path, content).grouped

    def test_no_pattern(self, tmp_path):
        with pytest.raises(LabelError, match=r"group '\(' is no regular expression"):
            opened(tmp_path, "a\tb\n", group="(")


plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=20)
rows = st.lists(plain, min_size=1, max_size=8)


@given(rows)
def test_any_text_goes_through_tsv(tmp_path_factory, values):
    lines = opened(tmp_path_factory.mktemp("t"), "".join(f"{i}.png\t{t}\n" for i, t in enumerate(values)), format="tsv")
    assert texts(lines) == values


@given(rows)
def test_any_text_goes_through_spaced(tmp_path_factory, values):
    values = [value.lstrip(" \t") for value in values]
    lines = opened(
        tmp_path_factory.mktemp("t"), "".join(f"{i}.png {t}\n" for i, t in enumerate(values)), format="spaced"
    )
    assert texts(lines) == values


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=8),
    st.sampled_from(";,\t|"),
)
def test_any_text_goes_through_csv(tmp_path_factory, values, delimiter):
    path = tmp_path_factory.mktemp("t") / "l.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["image", "text"])
        writer.writerows([f"{i}.png", value] for i, value in enumerate(values))
    assert texts(open_lines(path)) == values


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=8), st.booleans())
def test_any_text_goes_through_json(tmp_path_factory, values, ascii_only):
    folder = tmp_path_factory.mktemp("t")
    written = "".join(
        json.dumps({"image": str(i), "text": t}, ensure_ascii=ascii_only) + "\n" for i, t in enumerate(values)
    )
    assert texts(opened(folder, written, "l.jsonl")) == values
    written = json.dumps({str(i): t for i, t in enumerate(values)}, ensure_ascii=ascii_only)
    assert texts(opened(folder, written, "labels.json", format="doctr")) == values
