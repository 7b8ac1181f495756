"""What gives way in a table that is too wide, and in which order."""

from iotrace.output.blocks import Column, figures, texts
from iotrace.output.layout import Drawn, draw
from iotrace.output.markup import style


def shown(columns: tuple[Column, ...], width: int) -> Drawn:
    return draw(columns, style("table"), width)


TIMES = figures("duration", ["50.1 ms", "1.24 s"], short="time")
NAMES = texts("name", ["one", "twenty-two"], least=5)


def test_first_everything_has_room() -> None:
    assert shown((TIMES, NAMES), 20).text.splitlines() == [
        "duration  name",
        "────────  ──────────",
        " 50.1 ms  one",
        "  1.24 s  twenty-two",
    ]


def test_then_figures_lose_their_blanks_and_titles_get_short() -> None:
    assert shown((TIMES, NAMES), 18).text.splitlines() == [
        "  time  name",
        "──────  ──────────",
        "50.1ms  one",
        " 1.24s  twenty-two",
    ]


def test_then_columns_close_up() -> None:
    assert shown((TIMES, NAMES), 17).text.splitlines()[1] == "────── ──────────"


def test_then_texts_are_cut() -> None:
    assert shown((TIMES, NAMES), 12).text.splitlines() == [
        "  time name",
        "────── ─────",
        "50.1ms one",
        " 1.24s twen…",
    ]


def test_then_columns_go_and_are_named() -> None:
    spare = figures("spare", ["1", "2"], spare=1)
    sparest = figures("sparest", ["1", "2"], spare=2)
    assert shown((TIMES, NAMES, spare, sparest), 40).left_out == ()
    assert shown((TIMES, NAMES, spare, sparest), 24).left_out == ("sparest",)
    drawn = shown((TIMES, NAMES, spare, sparest), 14)
    assert drawn.left_out == ("sparest", "spare")
    assert drawn.text.splitlines()[2] == "50.1ms one"


def test_at_last_it_is_as_narrow_as_it_can_be() -> None:
    assert shown((TIMES, NAMES), 3).text.splitlines()[1] == "────── ─────"


def test_shorter_forms_come_before_cuts_whoever_is_wider() -> None:
    cuttable = texts("a", ["x" * 20], least=1)
    forms = texts("b", [("recv 81.2 poll", "recv 81.2", "recv")], least=1)
    assert shown((cuttable, forms), 30).text.splitlines()[2] == "x" * 20 + " recv 81.2"
    assert shown((cuttable, forms), 25).text.splitlines()[2] == "x" * 20 + " recv"
    assert shown((cuttable, forms), 20).text.splitlines()[2] == "x" * 14 + "… recv"


def test_figures_are_never_cut() -> None:
    wide = figures("n", ["123,456,789", "1"])
    assert "123,456,789" in shown((wide, NAMES), 5).text


def test_zero_is_a_dash_in_figures_only() -> None:
    zeros = (figures("n", ["0", "10"]), texts("t", ["0", "0"], least=1))
    assert shown(zeros, 20).text.splitlines()[2:] == [" -  0", "10  0"]


def test_wide_characters_keep_the_columns_straight() -> None:
    cjk = (texts("name", ["服务器", "x"], least=2), figures("n", ["1", "2"]))
    assert shown(cjk, 20).text.splitlines() == [
        "name    n",
        "──────  ─",
        "服务器  1",
        "x       2",
    ]
    assert shown(cjk, 6).text.splitlines()[2:] == ["服…  1", "x    2"]


def test_cells_are_escaped_once() -> None:
    assert "\\x1b[31m" in shown((texts("t", ["\x1b[31m"], least=3),), 40).text
    assert "a\\\\b" in shown((texts("t", ["a\\b"], least=3),), 40).text


def test_tabulate_is_left_as_it_was_found() -> None:
    import tabulate

    before = tabulate.MIN_PADDING
    shown((TIMES, NAMES), 20)
    assert before == tabulate.MIN_PADDING
