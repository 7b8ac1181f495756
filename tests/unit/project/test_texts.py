"""The project's files are about the project, and of a size to be read."""

from __future__ import annotations

import hashlib
import re

from tests.unit.project.places import ROOT, project_files

_MOST_LINES = 400
_SOURCES = (".py", ".c", ".h", ".md")

# A home directory, or a checkout of somebody's: right on one machine only.
_SOMEBODYS_PATH = re.compile(r"(?<![\w.*])/(?:work|root|home/\w+|Users/\w+)/")

# Words that have no place in here, by digest: written out they would be found in this very file.
_NOT_OURS = {
    "053ea4804ef1",
    "1225ae6c1ae6",
    "191d5c3a131a",
    "3ea125d0bff3",
    "487b91042c7c",
    "52196a62f405",
    "59458508a082",
    "60965168ce76",
    "7d3194f79e64",
    "8c70b25cbbbe",
    "94a168d2da57",
    "baec58b415a9",
    "c70eca6b0f88",
    "c857d09db23e",
    "d298391b0743",
    "d4f0bc5a29de",
    "de2187af3fb0",
}


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()[:12]


def _texts() -> dict[str, str]:
    files = {str(path.relative_to(ROOT)): path.read_text() for path in project_files()}
    assert len(files) > len(_SOURCES)
    return files


def test_no_path_of_one_machine() -> None:
    found = {name: _SOMEBODYS_PATH.findall(text) for name, text in _texts().items()}
    assert not {name: paths for name, paths in found.items() if paths}


def test_no_word_that_is_not_the_projects() -> None:
    found = {}
    for name, text in _texts().items():
        words = set(re.findall(r"[a-z]+", text.lower()))
        found[name] = {word for word in words if _digest(word) in _NOT_OURS}
    assert not {name: words for name, words in found.items() if words}


def test_no_file_is_too_long_to_read() -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in project_files(*_SOURCES)}
    assert not {name: length for name, length in lengths.items() if length > _MOST_LINES}
