"""How the tests look at one table.

Tables as they are drawn stand in ``snapshot``: ``make tables`` writes them anew.
"""

from typing import TypeVar

from iotrace.output import page
from iotrace.output.blocks import Table
from iotrace.output.columns import chosen

T = TypeVar("T")

try:
    from inline_snapshot import snapshot as snapshot
except ImportError:

    def snapshot(drawn: T) -> T:
        """Without inline-snapshot the tables are compared all the same."""
        return drawn


def drawn(table: Table | None, width: int = 80, tablefmt: str = "table") -> str:
    """The table as it is printed."""
    assert table is not None
    return page.render([table], tablefmt=tablefmt, width=width)


def rows(table: Table | None, width: int = 80) -> list[str]:
    """The lines below the rule, down to what was cut off."""
    lines = drawn(table, width).splitlines()
    rule = next(index for index, line in enumerate(lines) if line.startswith("─"))
    return lines[rule + 1 :]


def column_of(table: Table | None, title: str) -> list[str]:
    """The cells of one column as they are printed, wherever it stands."""
    assert table is not None
    titles = [column.title for column in table.columns]
    assert title in titles, f"the table has no column {title}, but {titles}"
    return [line.strip() for line in rows(chosen(table, (title,)))]
