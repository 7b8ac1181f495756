# SPDX-License-Identifier: Apache-2.0
"""How wide text on the standard output may be."""

from __future__ import annotations

import shutil
import sys

from iotrace.output.view_options import DEFAULT_WIDTH


def columns() -> int:
    """Those of the terminal, 80 at least; of a file or a pipe 80."""
    if not sys.stdout.isatty():
        return DEFAULT_WIDTH
    return max(DEFAULT_WIDTH, shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns)
