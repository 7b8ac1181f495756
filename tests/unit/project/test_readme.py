"""README.md says what is true: its commands, its links, its sample."""

from __future__ import annotations

import re

from tests.unit.project.places import ROOT, project_files

_README = (ROOT / "README.md").read_text()


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = "\n".join(path.read_text() for path in project_files(".md"))
    named = set(re.findall(r"(?:^ {4}|`)make ([a-z]+)", pages, re.MULTILINE))
    assert {"demo", "test", "setup"} <= named
    assert named <= targets


def test_every_link_leads_to_a_file() -> None:
    for page in project_files(".md"):
        # Code may look like a link: handlers[kind](*arguments).
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose):
            assert (page.parent / link).exists(), f"{page}: {link}"


def test_every_file_that_contributors_are_sent_to_exists() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    files = set(re.findall(r"`((?:iotrace|tests|docs|probes)/[\w./]*)`", page))
    files = {one for one in files if not re.search("NAME|nnn", one)}
    assert "iotrace/vocabulary/waits.py" in files
    missing = sorted(one for one in files if not (ROOT / one).exists())
    assert not missing, f"CONTRIBUTING.md names {missing}"


def test_the_sample_is_what_was_printed() -> None:
    sample = _README.split("<!-- docs/sample/report.txt -->\n")[1].split("<!-- end -->")[0]
    printed = (ROOT / "docs/sample/report.txt").read_text()
    lines = [line.removeprefix("    ") for line in sample.strip("\n").splitlines()]
    parts = "\n".join(lines).split("\n[...]")
    assert len(parts) > 1
    assert all(part.strip("\n") in printed for part in parts)


def test_the_sample_is_of_the_process_that_the_command_names() -> None:
    (named,) = re.findall(r"iotrace attach (\d+) ", _README)
    assert f"process {named} " in _README
