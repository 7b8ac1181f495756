# SPDX-License-Identifier: Apache-2.0
"""What the processes that talk to others give up: everything that the agent may do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection

from iotrace.privileges.privilege_drop import drop_all
from iotrace.target_reader.confinement import (
    drop_privileges,
    end_with_parent,
    leave_the_parent,
    limit_resources,
)

_NOBODY = 65534


def be_nobody(kept: Collection[int], name: str, parent: int) -> None:
    """In a forked child: be no user of this host, with no capabilities; end with ``parent``.

    No descriptor of its parent's is left but ``kept``. Where it is no root, it stays who it is.
    """
    leave_the_parent(kept, name)
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a user namespace that maps nobody else
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    drop_privileges()
    drop_all()
    end_with_parent(parent)
    limit_resources()
