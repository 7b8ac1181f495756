# SPDX-License-Identifier: Apache-2.0
"""Databases of SQLite that a process has open, by the files that SQLite keeps beside them."""

from __future__ import annotations

import re

from iotrace.verdict.process_profile import ProcessProfile

BESIDE = re.compile(r"-(?:journal|wal|shm)$")
"""https://www.sqlite.org/tempfiles.html: the rollback journal, the write-ahead log, its index."""


def sqlite_database(profile: ProcessProfile) -> str:
    """The path of one; "" where none is known."""
    process = profile.process
    paths = [row.local for row in process.descriptors] + [line.path for line in process.lines]
    return next((BESIDE.sub("", path) for path in paths if BESIDE.search(path)), "")
