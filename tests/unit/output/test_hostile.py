"""A traced process that wants to be markup, in every format that there is."""

import json
import re
from functools import cache
from html.parser import HTMLParser

import pytest

from iotrace.output import formats
from iotrace.output.view_options import View
from tests.unit import reports

SEPARATED = [name for name in formats.FORMATS if name.startswith("tsv")]

# What each format's own lines are made of, beyond printable characters and line breaks.
OWN = {**dict.fromkeys(SEPARATED, "\t"), "orgtbl": "\u200b"}

MARKUP = (
    "<script>", "[[link]]", "{{tpl}}", "`code`", "*b*", "\\input{", "a|b", "\n.. include",
)  # fmt: skip
# What means nothing there: others' markup, and a backslash that is escaped itself.
MEANINGLESS = {"rst": {"<script>", "{{tpl}}", "\\input{"}, "orgtbl": {"`code`"}}
WIKIS = ("mediawiki", "moinmoin", "jira", "youtrack", "textile", "asciidoc")


@cache
def shown(name: str) -> str:
    return formats.render(reports.hostile(), name, View(top=0))


@pytest.mark.parametrize("name", formats.FORMATS)
def test_nothing_moves_the_cursor_or_hides(name: str) -> None:
    odd = {character for character in shown(name) if not character.isprintable()}
    assert odd <= set("\n" + OWN.get(name, ""))
    shown(name).encode("utf-8")  # no lone surrogate is left


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_process_is_there(name: str) -> None:
    if name in ("json", "jsonl"):
        assert len(re.findall('"pid": ?', shown(name))) == 2 * len(reports.HOSTILE)
    elif name.endswith(("-calls", "-descriptors")):
        assert len(shown(name).splitlines()) == 1 + 2 * len(reports.HOSTILE)
    elif name == "folded":
        assert len(shown(name).splitlines()) == len(reports.HOSTILE)
    elif name == "speedscope":
        assert len(json.loads(shown(name))["profiles"]) == len(reports.HOSTILE)
    elif name.startswith(("csv", "tsv")):
        assert len(shown(name).splitlines()) == 1 + len(reports.HOSTILE)
    else:
        assert len(re.findall("Process [0-9]+ ", shown(name))) == len(reports.HOSTILE)


MARKUP_FORMATS = (*WIKIS, "github", "pipe", "rst", "orgtbl")


# Older versions of tabulate, which distributions have, lack some of them.
@pytest.mark.parametrize("name", [name for name in MARKUP_FORMATS if name in formats.FORMATS])
def test_nothing_is_markup(name: str) -> None:
    live = {markup for markup in MARKUP if markup in shown(name)}
    assert live <= MEANINGLESS.get(name, set())


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())


@pytest.mark.parametrize("name", ["html", "unsafehtml"])
def test_html_has_our_tags_only_and_the_names_as_text(name: str) -> None:
    parser = Tags()
    parser.feed(shown(name))
    assert set(parser.tags) == {
        ("html", ("lang",)),
        ("meta", ("charset",)),
        *((tag, ()) for tag in "head title body h1 h2 p ul li table thead tbody tr th td".split()),
        ("th", ("style",)),
        ("td", ("style",)),
    }
    assert "<script>alert(1)</script>" in parser.text
    assert "服务器工作进程名字" in parser.text


@pytest.mark.parametrize("name", ["latex", "latex_raw", "latex_booktabs", "latex_longtable"])
def test_latex_has_our_commands_only(name: str) -> None:
    commands = set(re.findall(r"\\([A-Za-z]+)", shown(name)))
    assert commands <= {
        *"section subsection paragraph noindent par textbullet begin end hline endhead".split(),
        *"toprule midrule bottomrule textbackslash textless textgreater ensuremath".split(),
        *"textasciitilde textasciicircum".split(),
    }
    assert not re.search(r"(?<!\\)[$#%^~]", shown(name))
    environments = set(re.findall(r"\\(?:begin|end)\{(.*?)\}", shown(name)))
    assert environments == {"longtable" if name == "latex_longtable" else "tabular"}


@pytest.mark.parametrize("name", ["github", "pipe", "orgtbl"])
def test_every_row_has_its_table_s_cells(name: str) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", shown(name), re.MULTILINE):
        assert len({line.count("|") for line in table.replace("+", "|").splitlines()}) == 1


def test_a_tab_stays_in_its_cell() -> None:
    first, *others = (line.split("\t") for line in shown("tsv").splitlines())
    assert {len(cells) for cells in others} == {len(first)}
    assert others[1][first.index("name")] == "two\\nlines\\r\\ttab"


@pytest.mark.parametrize(
    "name", [name for name in formats.FORMATS if name.startswith(("csv", "tsv"))]
)
def test_no_cell_computes(name: str) -> None:
    separator = "\t" if name.startswith("tsv") else ","
    cells = [cell.strip(' "') for cell in re.split(rf"[{separator}\n]", shown(name))]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert [cell for cell in cells if cell[:1] in "=+-@" and cell not in ("", "-")] == []
