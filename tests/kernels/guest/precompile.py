"""Compile the probes for another kernel: precompile.py PRODUCT TYPES MACHINE KERNEL OUT.

A machine without KVM would take minutes for it. Runs on the host, in the root file system of the
machine, with its bcc. TYPES is the other kernel's BTF, MACHINE its machine type as uname -m says
it, KERNEL as the kernel's sources and bcc call it. Writes OUT/NAME.image, and its limits.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

product, types, machine, kernel, out = sys.argv[1:]
sys.path.insert(0, product)
platform.machine = lambda: machine

from iotrace.engine import btf  # noqa: E402
from iotrace.engine.compiler import Compiler  # noqa: E402
from iotrace.engine.image import joined  # noqa: E402
from iotrace.engine.map_limits import Limits  # noqa: E402
from iotrace.engine.tracepoints import parts_of  # noqa: E402
from iotrace.report.detail import Detail  # noqa: E402

btf.VMLINUX = Path(types)
compiler = Compiler()
os.environ["ARCH"] = kernel  # bcc's layout of registers
for detail in Detail:
    limits = Limits(detail=detail)
    try:
        parts = parts_of(detail, 2, limits.python)
        images = [compiler.compile(limits, frozenset(), False, part) for part in parts]
    except Exception as error:  # the machine says it again, as its users are told
        print(f"{detail.value}: {error}")
        continue
    Path(out, f"{detail.value}.image").write_bytes(joined(images).to_bytes())
    Path(out, f"{detail.value}.limits").write_text(
        json.dumps(asdict(limits) | {"detail": detail.value})
    )
