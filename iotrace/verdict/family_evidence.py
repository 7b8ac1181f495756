# SPDX-License-Identifier: Apache-2.0
"""Names of evidence by which a finding tells of other processes of its family."""

from __future__ import annotations

HANGING_CHILDREN = "children_that_hang"
"""Evidence: pids, separated by ", "."""
DEADLOCKED_CHILD = "child"
"""Evidence of a deadlock with a child: what that does."""
REPLACED = "workers_replaced"
"""Evidence of a parent whose workers do not serve while they start."""
