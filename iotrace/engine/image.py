# SPDX-License-Identifier: Apache-2.0
"""The compiled probes, before they are in the kernel: what maps to make, what to load where.

An image depends on the sources, the kernel, the limits and bcc; it can be kept (image_cache.py) and
put into the kernel again without a compiler.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from iotrace.engine.tracepoints import LATE, attach_order


@dataclass(frozen=True, slots=True)
class MapSpec:
    """One map: BPF_MAP_CREATE's attributes, and the layout of its values as bcc tells it."""

    type: int
    key_size: int
    value_size: int
    entries: int
    flags: int
    layout: str


@dataclass(frozen=True, slots=True)
class Function:
    """One program: for a raw tracepoint, or as ``attachment`` says (see program.Probe).

    ``instructions``: base64 of ``struct bpf_insn``s; ``maps``: [instruction, map's name] for each
    instruction that loads a map's address. ``loses``: the columns that are n/a without it.
    ``type_id``: of the tracepoint, 0: its arguments have no types.
    """

    tracepoint: str
    name: str
    loses: tuple[str, ...]
    instructions: str
    maps: tuple[tuple[int, str], ...]
    attachment: str = "tracepoint"
    slot: int = 0
    table: str = ""
    type_id: int = 0

    @property
    def late(self) -> bool:
        """Whether charging need not wait for it: it follows Python's stacks."""
        return self.name in LATE

    @property
    def code(self) -> bytes:
        """The instructions as bytes, 8 each."""
        return base64.b64decode(self.instructions)


@dataclass(frozen=True, slots=True)
class Image:
    """All maps and programs, and the columns that this kernel cannot give (with the reason).

    ``own_prelude``: compiled with probes/prelude.h; else bcc's prelude was needed, which takes
    longer.
    """

    maps: dict[str, MapSpec]
    functions: tuple[Function, ...]
    unavailable: dict[str, str]
    own_prelude: bool

    def part(self, late: bool) -> Image:
        """With those of its programs only that charging does not wait for, or with the others."""
        return replace(self, functions=tuple(one for one in self.functions if one.late == late))

    def to_bytes(self) -> bytes:
        """For a pipe or a file."""
        return zlib.compress(json.dumps(asdict(self)).encode(), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Image:
        """Raises ValueError for anything that to_bytes did not make."""
        try:
            plain = json.loads(zlib.decompress(data))
            return cls(
                maps={name: MapSpec(**spec) for name, spec in plain["maps"].items()},
                functions=tuple(
                    Function(
                        tracepoint=one["tracepoint"],
                        name=one["name"],
                        loses=tuple(one["loses"]),
                        instructions=one["instructions"],
                        maps=tuple((int(at), str(name)) for at, name in one["maps"]),
                        attachment=one["attachment"],
                        slot=int(one["slot"]),
                        table=str(one["table"]),
                        type_id=int(one["type_id"]),
                    )
                    for one in plain["functions"]
                ),
                unavailable=dict(plain["unavailable"]),
                own_prelude=bool(plain["own_prelude"]),
            )
        except (zlib.error, KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an image of the probes") from error


def joined(images: Sequence[Image]) -> Image:
    """One of all parts, its programs in the order in which they are attached."""
    functions = (function for image in images for function in image.functions)
    return Image(
        maps={name: spec for image in images for name, spec in image.maps.items()},
        functions=tuple(sorted(functions, key=lambda one: attach_order(one.name))),
        unavailable={column: why for i in images for column, why in i.unavailable.items()},
        own_prelude=all(image.own_prelude for image in images),
    )
