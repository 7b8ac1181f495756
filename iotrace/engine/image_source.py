"""The compiled probes: from the kept image, or from a workshop, where work on them has begun."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from iotrace.engine.compile_workers import Workshop
from iotrace.engine.image import Function, Image, joined
from iotrace.engine.image_cache import image_key, load_image, store_image
from iotrace.engine.pid_namespace import namespace_of_proc
from iotrace.engine.probe_sources import sources_digest
from iotrace.engine.program import Limits


class Supply:
    """What install.install wants.

    ``limits`` as this kernel can have them, ``unavailable``: columns that are lost with it.
    ``namespace`` as in install.
    """

    def __init__(
        self,
        limits: Limits,
        absent: frozenset[str] = frozenset(),
        workshop: Workshop | None = None,
    ) -> None:
        """``workshop``: one that is open already; it is closed if it is not needed."""
        self.unavailable: dict[str, str] = {}
        if "ringbuf" in absent and limits.timeline_pages:
            limits = replace(limits, timeline_pages=0)
            self.unavailable["timeline"] = "this kernel has no BPF ring buffers"
        self.limits = limits
        self.namespace = namespace_of_proc()
        self._sources = sources_digest()
        self._key = image_key(self._sources, limits, absent, self.namespace is not None)
        self._kept = load_image(self._key)
        self._made: list[Image] = []
        self._workshop = workshop
        if self._kept is None:
            self._workshop = workshop or Workshop()
            self._workshop.order(limits, absent, self.namespace is not None)
        else:
            self.close()

    def soon(self) -> Iterator[Image]:
        """What charging waits for. Raises what the workshop raises."""
        if self._kept is not None:
            yield self._kept.part(late=False)
            return
        assert self._workshop is not None
        try:
            for image in self._workshop.soon():
                self._made.append(image)
                yield image
        except BaseException:
            self.close()
            raise

    def late(self) -> Sequence[Function]:
        """The other programs; then all of them are kept, and the workshop is closed."""
        if self._kept is not None:
            return self._kept.part(late=True).functions
        assert self._workshop is not None
        try:
            self._made += self._workshop.late()
        finally:
            self.close()
        image = joined(self._made)
        if sources_digest() == self._sources:  # else they were replaced meanwhile
            store_image(self._key, image)
        return image.part(late=True).functions

    def close(self) -> None:
        """Whatever is still being compiled is not wanted any more."""
        if self._workshop is not None:
            self._workshop.close()
