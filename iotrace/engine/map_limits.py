"""How much room the kernel's tables have."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.report.detail import Detail

_LEAST_PLACES = 16384


@dataclass(frozen=True, slots=True)
class Limits:
    """Room in the kernel's tables; what does not fit is counted as lost.

    ``timeline_pages``: of the ring buffer that streams single events (a power of two); 0: no
    timeline. ``reserved``: slots of the thread table that user space fills, for the threads that
    exist already. ``python``: with what follows Python's stacks and GIL.
    """

    threads: int = 4096
    calls: int = 8192
    descriptors: int = 4096
    loops: int = 512
    sockets: int = 16384
    errors: int = 4096
    signals: int = 1024
    operations: int = 16384
    operation_kinds: int = 256
    ports: int = 1024
    targets: int = 2048
    stacks: int = 4096
    codes: int = 2048
    lines: int = 8192
    reserved: int = 512
    timeline_pages: int = 0
    python: bool = True
    detail: Detail = Detail.FULL

    def cflags(self) -> list[str]:
        """The limits as compiler flags."""
        others = ("reserved", "timeline_pages", "python", "detail")
        names = [name for name in self.__slots__ if name not in others]
        return [
            *(f"-DMAX_{name.upper()}={getattr(self, name)}" for name in names),
            f"-DDESCRIPTOR_PLACES={self._places()}",
            f"-DDETAIL_FULL={int(self.detail is Detail.FULL)}",
            f"-DDETAIL_SOCKETS={int(self.detail is Detail.SOCKETS)}",
            f"-DWATCH_SOCKETS={int(self.detail is not Detail.LIGHT)}",
            f"-DTIMELINE={int(self.timeline_pages > 0)}",
            f"-DTIMELINE_PAGES={self.timeline_pages}",
        ]

    def _places(self) -> int:
        """A power of two, so large that few descriptors share a place."""
        return max(_LEAST_PLACES, 1 << (4 * self.descriptors - 1).bit_length())
