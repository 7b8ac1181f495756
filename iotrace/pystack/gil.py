# SPDX-License-Identifier: Apache-2.0
"""Where the GIL keeps what it says of itself. The probes are told, too: no more is imported."""

from __future__ import annotations

GIL_HOLDER, GIL_LOCKED = 8, 16
"""last_holder and locked in struct _gil_runtime_state, pycore_gil.h."""
