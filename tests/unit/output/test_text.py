"""Hostile text: nothing in it moves the cursor, hides, reorders or overflows."""

import unicodedata

import pytest

from iotrace.output.text import cut, escape, width, wrap


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("uvicorn: worker", "uvicorn: worker"),
        ("\x1b[2J\x1b]0;x\x07", r"\x1b[2J\x1b]0;x\x07"),
        ("a\nb\r\tc\x00", r"a\nb\r\tc\x00"),
        ("\x7f\x80\x9b31m", r"\x7f\x80\x9b31m"),
        ("\u202egnp.exe\u2066\u200f", r"\u202egnp.exe\u2066\u200f"),
        ("\u200b\u200d\ufeff\u00ad", r"\u200b\u200d\ufeff\xad"),
        ("\u2028\u2029\u0085", r"\u2028\u2029\x85"),
        ("\udcff\udc80", r"\udcff\udc80"),
        ("\U000e0041\U0001f600", "\\U000e0041\U0001f600"),
        ("back\\slash \\x1b", r"back\\slash \\x1b"),
        ("\u00a0wide\u3000", r"\xa0wide\u3000"),
        ("naïve", "naïve"),
        ("सर्वर", "सर्वर"),
        ("服务器", "服务器"),
    ],
)
def test_escape(raw: str, safe: str) -> None:
    assert escape(raw) == safe


def test_marks_stay_on_their_character_and_do_not_pile_up() -> None:
    assert escape("e\u0301") == "e\u0301"
    assert escape("\u0301e") == r"\u0301e"
    assert escape("e\u0301\u0302\u0303\u0304") == "e\u0301\u0302" + r"\u0303\u0304"


def test_a_variation_selector_cannot_change_what_was_measured() -> None:
    assert escape("\u2764\ufe0f") == "\u2764" + r"\ufe0f"


def test_nothing_but_text_is_left_of_any_character() -> None:
    for code in [*range(0x3000), *range(0xD7FF, 0xE100), *range(0xFE00, 0x10000)]:
        safe = escape("x" + chr(code))
        assert safe.isprintable(), hex(code)
        assert width(safe) >= 1, hex(code)
        if len(safe) == 2:
            assert unicodedata.category(chr(code))[0] not in "CZ" or code == 0x20, hex(code)


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("uvicorn", 7, "uvicorn"),
        ("uvicorn", 6, "uvico…"),
        ("uvicorn", 1, "…"),
        ("uvicorn", 0, ""),
        ("服务器", 6, "服务器"),
        ("服务器", 5, "服务…"),
        ("服务器", 4, "服…"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
    ],
)
def test_cut(text: str, columns: int, shown: str) -> None:
    assert cut(text, columns) == shown


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("/srv/shop/picture.jpg", 12, "…picture.jpg"),
        ("/srv/shop/picture.jpg", 21, "/srv/shop/picture.jpg"),
        ("服务器", 5, "…务器"),
        ("xe\u0301y", 2, "…y"),
    ],
)
def test_cut_keeps_the_end(text: str, columns: int, shown: str) -> None:
    assert cut(text, columns, keep_end=True) == shown


def test_cutting_a_megabyte_looks_at_its_start_only() -> None:
    assert cut("x" * 2_000_000, 5) == "xxxx…"
    assert cut("x" * 2_000_000, 5, keep_end=True) == "…xxxx"


def test_wrap() -> None:
    assert wrap("one two three", 9) == ["one two", "three"]
    assert wrap("one two three", 9, indent="  ", first="- ") == ["- one two", "  three"]
    assert wrap("", 9) == [""]


def test_wrap_breaks_what_is_longer_than_a_line() -> None:
    assert wrap("k abcdefghij k", 4) == ["k", "abcd", "efgh", "ij k"]
    assert wrap("服务器服务器", 5, indent=" ") == [" 服务", " 器服", " 务器"]
    assert wrap("abcdef", 6, indent="  ", first="why ") == ["why ab", "  cdef"]


def test_wrap_ends_where_not_even_one_character_fits() -> None:
    assert wrap("服务", 1) == ["服", "务", ""]
