# SPDX-License-Identifier: Apache-2.0
"""The columns that a reader can ask for, and tables with only those."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from iotrace.errors import UsageError
from iotrace.output.blocks import Table
from iotrace.output.tables import of_process, processes_table, threads_table
from iotrace.output.view_options import plain_name

_TABLES = (threads_table, *of_process.TABLES, processes_table)

TITLES: tuple[str, ...] = tuple(dict.fromkeys(title for table in _TABLES for title in table.ORDERS))
"""The titles of all columns of all tables."""


def check_names(names: Iterable[str], known: Iterable[str]) -> None:
    """Raises UsageError if one of the names is no column."""
    known = tuple(known)
    plain = {plain_name(title) for title in known}
    for name in names:
        if plain_name(name) not in plain:
            raise UsageError(
                f"there is no column {name!a}",
                why=f"columns: {', '.join(known)}",
                paste="iotrace attach PID --columns tid,name,wall,call,count,p99 --sort p99",
            )


def chosen(table: Table, names: tuple[str, ...]) -> Table | None:
    """The table with the columns asked for, in that order; None if it has none of them."""
    if not names:
        return table
    by_name = {plain_name(column.title): column for column in table.columns}
    columns = [by_name[name] for name in map(plain_name, names) if name in by_name]
    if not columns:
        return None
    # The last one that is left stays, however narrow the screen.
    columns[0] = replace(columns[0], spare=0)
    return replace(table, columns=tuple(columns))
