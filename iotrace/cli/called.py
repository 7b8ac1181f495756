# SPDX-License-Identifier: Apache-2.0
"""How this program is called under sudo."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

_SECURE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where sudo looks for commands (sudoers(5), secure_path): in no virtual environment."""


def with_this_program(text: str) -> str:
    """The text with ``sudo iotrace`` in the words that work here."""
    if "sudo iotrace" not in text or shutil.which("iotrace", path=_SECURE_PATH):
        return text
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return text.replace("sudo iotrace", f"sudo {shlex.join([sys.executable, '-m', 'iotrace'])}")
    if not program.is_file():
        return text
    return text.replace("sudo iotrace", f"sudo {shlex.quote(str(program.resolve()))}")
