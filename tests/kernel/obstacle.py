"""Why the probes cannot be attached on this machine."""

from __future__ import annotations

import importlib.util

from iotrace.engine.btf import VMLINUX
from iotrace.privileges.capabilities import missing_capabilities


def obstacle() -> str | None:
    """The reason to skip; None: tests of the kernel can run."""
    missing = missing_capabilities()
    if missing:
        return f"needs root: {' and '.join(missing)} missing"
    if importlib.util.find_spec("bcc") is None:
        return "needs bcc: this Python cannot import it (python3-bpfcc)"
    if not VMLINUX.exists():
        return f"needs the kernel's types: no {VMLINUX}"
    return None
