# SPDX-License-Identifier: Apache-2.0
"""docs/kernels.md: its table, a row for each kernel and detail, is written by `make kernels`."""

from __future__ import annotations

import re
from pathlib import Path

from tests.kernels.results import head, line_of

_SERIES = re.compile(r"(\d+)\.(\d+)\S* (\S+)")


def put(page: Path, rows: list[list[str]]) -> None:
    """Rows in place of those of the same series, machine type and detail; sorted."""
    lines = page.read_text().splitlines()
    first = lines.index(head()[0])
    end = next((i for i in range(first, len(lines)) if not lines[i].startswith("|")), len(lines))
    kept = {_key(one): one for one in lines[first + 2 : end]}
    kept |= {_key(line_of(cells)): line_of(cells) for cells in rows}
    table = [*head(), *(kept[key] for key in sorted(kept))]
    page.write_text("\n".join([*lines[:first], *table, *lines[end:]]) + "\n")


def _key(row: str) -> tuple[str, int, int, int]:
    """Machine type, series, and the place of the detail."""
    kernel, detail = (cell.strip() for cell in row.split("|")[1:3])
    found = _SERIES.match(kernel)
    if found is None:
        raise ValueError(f"not a kernel: {kernel}")
    place = ("light", "sockets", "full").index(detail)
    return found[3], int(found[1]), int(found[2]), -place
