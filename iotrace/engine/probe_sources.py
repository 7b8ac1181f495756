# SPDX-License-Identifier: Apache-2.0
"""The C sources of the probes as one text, and what names all that a compiler reads.

The text holds every header of ours, so that the compiler looks for none of them: clang searches
the current directory first (engine/compile_worker.py closes that as well).
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

_INCLUDE = re.compile(r'^#include "(\w+\.h)"$', re.MULTILINE)


def probes_directory() -> Path:
    """Where the C sources are (inside the installed package)."""
    # importlib.resources would say it, too, but to import it takes as long as to read them all.
    spec = find_spec("iotrace.probes")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def header_tree() -> Path:
    """The tiny kernel header tree that bcc compiles against."""
    return probes_directory() / "headers"


def prelude_flags() -> list[str]:
    """Our own prelude in the place of bcc's: their guards make bcc's two headers empty."""
    skipped = ("-D_UAPI__LINUX_BPF_H__", "-D__BPF_HELPERS_H")
    return [*skipped, "-include", str(probes_directory() / "prelude.h")]


def joined_sources(names: list[str]) -> str:
    """The sources as one text: bcc wants map operations outside of included headers.

    ``#line`` marks make compiler output name the file.
    """
    return "\n".join(_with_headers(name) for name in names)


def _with_headers(name: str) -> str:
    """A source with its headers in the place of its ``#include "..."`` lines, at any depth."""
    text = (probes_directory() / name).read_text(encoding="ascii")
    parts, done = [f'#line 1 "{name}"\n'], 0
    for include in _INCLUDE.finditer(text):
        before, line = text[done : include.start()], text.count("\n", 0, include.end()) + 2
        parts += [before, _with_headers(include[1]), f'\n#line {line} "{name}"']
        done = include.end()
    return "".join([*parts, text[done:]])


def sources_digest() -> str:
    """SHA-256 of every file that the compiler can read: sources, prelude, header tree."""
    import hashlib  # libcrypto takes 4 MB, which the compile child does without

    root = probes_directory()
    digest = hashlib.sha256()
    for path in sorted(root.glob("**/*.[ch]")):
        name, data = str(path.relative_to(root)).encode(), path.read_bytes()
        digest.update(b"%d %d " % (len(name), len(data)) + name + data)
    return digest.hexdigest()
