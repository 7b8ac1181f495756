"""``iotrace`` and ``python -m iotrace``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iotrace.engine.workshop import Workshop


def main() -> None:
    """Run the command line."""
    workshop = _workshop(sys.argv[1:])

    from iotrace.cli.main import main as run

    try:
        run(workshop)
    finally:
        if workshop is not None:
            workshop.close()


def _workshop(arguments: list[str]) -> Workshop | None:
    """Where ``attach`` will have to compile: the compiler is loaded while all else is imported.

    A guess, in time; whoever finds out that it was right or wrong comes later (engine/supply.py).
    """
    if arguments[:1] != ["attach"] or {"-h", "--help"} & set(arguments):
        return None

    from iotrace.engine.folder import is_empty

    if not is_empty():
        return None

    from iotrace.engine.workshop import Workshop

    return Workshop()


if __name__ == "__main__":
    main()
