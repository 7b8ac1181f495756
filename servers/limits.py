# SPDX-License-Identifier: Apache-2.0
"""How many descriptors a process may have."""

from __future__ import annotations

import resource

FD_SETSIZE = 1024
"""The first descriptor number that does not fit select's fd_set: select(2), <sys/select.h>."""


def raise_descriptor_limit() -> int:
    """Raise this process's soft limit of open descriptors to its hard limit; returns it.

    The usual soft limit, 1024, would end a server long before its I/O model does.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
