"""The markup formats, read by other people's parsers: every name comes out as it went in."""

import shutil
import subprocess

import pytest

from iotrace.output import formats
from iotrace.output.text import escape
from iotrace.output.view_options import View
from tests.unit import reports

ALL = View(top=0)
PAGES = {"event loop": reports.event_loop(), "hostile": reports.hostile()}
NAMES = [escape(text) for text in reports.HOSTILE if "|" not in text]


def squeezed(text: str) -> str:
    """Without blanks, which markup may fold and wrap."""
    return "".join(text.replace("\u200b", "").split())


@pytest.mark.parametrize("page", PAGES)
def test_rst(page: str) -> None:
    core = pytest.importorskip("docutils.core")
    nodes = pytest.importorskip("docutils.nodes")
    source = formats.render(PAGES[page], "rst", ALL)
    settings = {"report_level": 2, "halt_level": 5, "warning_stream": False, "raw_enabled": False}
    document = core.publish_doctree(source, settings_overrides=settings)
    # Level 1 is information only: two processes have a heading "Threads" each.
    messages = document.findall(nodes.system_message)
    assert [message.astext() for message in messages if message["level"] > 1] == []
    live = (nodes.image, nodes.raw, nodes.reference, nodes.emphasis, nodes.literal)
    assert [node.astext() for kind in live for node in document.findall(kind)] == []
    assert len(list(document.findall(nodes.table))) >= 4
    if page == "hostile":
        text = squeezed(document.astext())
        assert [name for name in NAMES if squeezed(name) not in text] == []


@pytest.mark.parametrize("name", ["github", "pipe"])
@pytest.mark.parametrize("page", PAGES)
def test_markdown(page: str, name: str) -> None:
    markdown = pytest.importorskip("markdown_it").MarkdownIt("gfm-like", {"linkify": False})
    tokens = markdown.parse(formats.render(PAGES[page], name, ALL))
    inline = [inner for token in tokens for inner in token.children or ()]
    assert {token.type for token in inline} <= {"text", "softbreak"}
    blocks = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    assert blocks == {
        *("heading", "paragraph", "inline", "bullet_list", "list_item"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    if page == "hostile":
        text = squeezed("".join(token.content for token in inline))
        assert [one for one in NAMES if squeezed(one) not in text] == []


@pytest.mark.parametrize("name", ["html", "unsafehtml"])
@pytest.mark.parametrize("page", PAGES)
def test_html(page: str, name: str) -> None:
    html5lib = pytest.importorskip("html5lib")
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parse(formats.render(PAGES[page], name, ALL))
    assert len(list(document.iter("table"))) >= 4
    for table in document.iter("table"):
        assert len({len(row) for row in table.iter("tr")}) == 1
    if page == "hostile":
        text = squeezed("".join(document.itertext()))
        assert [one for one in NAMES if squeezed(one) not in text] == []


@pytest.mark.parametrize("name", ["latex", "latex_raw", "latex_booktabs", "latex_longtable"])
@pytest.mark.parametrize("page", PAGES)
def test_latex(page: str, name: str) -> None:
    walker = pytest.importorskip("pylatexenc.latexwalker")
    source = formats.render(PAGES[page], name, ALL)
    nodes, _, length = walker.LatexWalker(source, tolerant_parsing=False).get_latex_nodes()
    assert length == len(source)
    environments = [node for node in nodes if isinstance(node, walker.LatexEnvironmentNode)]
    assert len(environments) >= 4
    assert not [node for node in nodes if isinstance(node, walker.LatexMathNode)]


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("latex_booktabs", "latex"),
        ("mediawiki", "mediawiki"),
        ("rst", "rst"),
        ("github", "gfm"),
        ("html", "html"),
        ("textile", "textile"),
    ],
)
def test_pandoc(name: str, reader: str) -> None:
    if shutil.which("pandoc") is None:
        pytest.skip("needs pandoc (apt install pandoc)")
    source = formats.render(reports.event_loop(), name, View(top=3))
    read = subprocess.run(
        ["pandoc", "-f", reader, "-t", "html"],
        input=source, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert read.stderr == ""
    assert read.stdout.count("<table") == 4
    for name in ("epoll_wait", "192.168.117.0:40000", "asyncio_2"):
        assert name in read.stdout
