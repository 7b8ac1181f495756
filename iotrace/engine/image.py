"""The compiled probes, before they are in the kernel: what maps to make, what to load where.

An image depends on the sources, the kernel, the limits and bcc; it can be kept (cache.py) and
put into the kernel again without a compiler.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass


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
    type_id: int = 0

    @property
    def code(self) -> bytes:
        """The instructions as bytes, 8 each."""
        return base64.b64decode(self.instructions)


@dataclass(frozen=True, slots=True)
class Image:
    """All maps and programs, and the columns that this kernel cannot give (with the reason)."""

    maps: dict[str, MapSpec]
    functions: tuple[Function, ...]
    unavailable: dict[str, str]

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
                        type_id=int(one["type_id"]),
                    )
                    for one in plain["functions"]
                ),
                unavailable=dict(plain["unavailable"]),
            )
        except (zlib.error, KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an image of the probes") from error
