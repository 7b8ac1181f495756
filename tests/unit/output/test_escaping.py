"""Each markup's own escape, on what would mean something in it."""

import pytest

from iotrace.output import escaping


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("epoll_wait tcp", "epoll_wait tcp"),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
        ("a|b", "a&#124;b"),
        ("\\|", "&#92;&#124;"),
        ("<b>&lt;", "&#60;b&#62;&#38;lt;"),
        (
            "[x](y) `c` *b* ~s~ $m$",
            "&#91;x&#93;(y) &#96;c&#96; &#42;b&#42; &#126;s&#126; &#36;m&#36;",
        ),
        ("_i_ __init__", "&#95;i&#95; &#95;&#95;init&#95;&#95;"),
        ("http://x www.x", "http&#58;//x www&#46;x"),
        ("a@b #1 {x} !", "a&#64;b &#35;1 &#123;x&#125; &#33;"),
    ],
)
def test_markdown(raw: str, safe: str) -> None:
    assert escaping.for_markdown(raw) == safe


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("uvicorn app", "uvicorn app"),
        ("- item", "&#45; item"),
        ("--- ---", "&#45;-- ---"),
        ("1. item", "&#49;. item"),
        ("1) item", "&#49;) item"),
        ("12.", "&#49;2."),
        ("1.24 s", "1.24 s"),
        ("h1. title", "&#104;1. title"),
        ("    code", "&#32;   code"),
        ("> quote", "&#62; quote"),
        ("# head", "&#35; head"),
    ],
)
def test_markdown_at_the_start_of_a_line(raw: str, safe: str) -> None:
    assert escaping.opening_line(escaping.for_markdown)(raw) == safe


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("recvfrom tcp 1.24 s", "recvfrom tcp 1.24 s"),
        ("服务器 é", "服务器 é"),
        ("[[x]]{{y}}", "&#91;&#91;x&#93;&#93;&#123;&#123;y&#125;&#125;"),
        ("a||b|c", "a&#124;&#124;b&#124;c"),
        ("http://x", "http&#58;&#47;&#47;x"),
        ("*b* _i_ {attr}", "&#42;b&#42; &#95;i&#95; &#123;attr&#125;"),
        ("<nowiki> &amp;", "&#60;nowiki&#62; &#38;amp&#59;"),
    ],
)
def test_wikis(raw: str, safe: str) -> None:
    assert escaping.for_wiki(raw) == safe


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("epoll wait", "epoll wait"),
        (".. include:: /etc/passwd", r"\.. include\:\: /etc/passwd"),
        ("- item", r"\- item"),
        ("-", r"\-"),
        ("1. item", r"\1. item"),
        ("1.24 s", "1.24 s"),
        ("=====", r"\====="),
        ("*e* `r`_ |s| x_", r"\*e\* \`r\`\_ \|s\| x\_"),
        ("http://x a@b", r"http\://x a\@b"),
        ("\\\\x1b", r"\\\\x1b"),
    ],
)
def test_rst(raw: str, safe: str) -> None:
    assert escaping.for_rst(raw) == safe


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("$x$ 5% a_b #1 &", r"\$x\$ 5\% a\_b \#1 \&"),
        ("~^<>", r"\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}"),
    ],
)
def test_latex(raw: str, safe: str) -> None:
    assert escaping.for_latex(raw) == safe


def test_what_latex_would_take_for_an_argument_of_the_line_break_before() -> None:
    assert escaping.after_latex_row("[1em] x") == "'[1em] x"
    assert escaping.after_latex_row("*") == "'*"
    assert escaping.after_latex_row("700") == "700"


def test_org() -> None:
    assert escaping.for_org("a|b_c<d>") == r"a\vert{}b\under{}c\lt{}d\gt{}"
    for live in ("[[elisp:x]]", "src_sh{ls}", "call_f(1)", "{{{m}}}", "#+INCLUDE: x", "shell:x"):
        assert live not in escaping.for_org(live)
        assert escaping.for_org(live).replace("\u200b", "").replace(r"\under{}", "_") == live
    assert escaping.for_org("- item").startswith("\u200b")
    assert escaping.for_org("-") == "-"


@pytest.mark.parametrize("formula", ["=1", "+1", "-1", "@x", "\uff1d1", " =1", "-> x"])
def test_formulas_are_texts(formula: str) -> None:
    assert escaping.for_spreadsheet(formula) == "'" + formula


@pytest.mark.parametrize("text", ["uvicorn", "a=1", "-", "", "'=1", "1-2"])
def test_texts_stay_texts(text: str) -> None:
    assert escaping.for_spreadsheet(text) == text


def test_html() -> None:
    assert escaping.for_html("<a b='c'>\"&") == "&lt;a b=&#x27;c&#x27;&gt;&quot;&amp;"
