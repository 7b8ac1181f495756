# SPDX-License-Identifier: Apache-2.0
"""Where compiled probes come from: the image cache, or compile workers that are at it already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from iotrace.engine.image import Function, Image, joined
from iotrace.engine.image_cache import image_key, load_image, store_image
from iotrace.engine.map_limits import Limits
from iotrace.engine.pid_namespace import namespace_of_proc
from iotrace.engine.probe_sources import sources_digest

if TYPE_CHECKING:
    from iotrace.engine.compile_workers import CompileWorkers


class ImageSource:
    """What loader.load wants.

    ``limits`` as this kernel can have them, ``unavailable``: columns that are lost with it.
    ``namespace`` as in load. ``image``: with all of its parts, once ``late_functions`` was called.
    """

    def __init__(
        self,
        limits: Limits,
        absent: frozenset[str] = frozenset(),
        workers: CompileWorkers | None = None,
        *,
        kept: bool = True,
    ) -> None:
        """``workers``: those that have been started already; closed if they are not needed.

        ``kept``: whether a kept image will do; else it is compiled in any case.
        """
        self.unavailable: dict[str, str] = {}
        if "ringbuf" in absent and limits.timeline_pages:
            limits = replace(limits, timeline_pages=0)
            self.unavailable["timeline"] = "this kernel has no BPF ring buffers"
        self.limits = limits
        self.namespace = namespace_of_proc()
        self._sources = sources_digest()
        self._key = image_key(self._sources, limits, absent, self.namespace is not None)
        self._kept = load_image(self._key) if kept else None
        self.image = self._kept
        self._made: list[Image] = []
        self._workers = workers
        if self._kept is None:
            from iotrace.engine.compile_workers import CompileWorkers

            self._workers = workers or CompileWorkers()
            self._workers.request(limits, absent, self.namespace is not None)
        else:
            self.close()

    def early_images(self) -> Iterator[Image]:
        """What charging waits for. Raises what the workers raise."""
        if self._kept is not None:
            yield self._kept.part(late=False)
            return
        assert self._workers is not None
        try:
            for image in self._workers.early_parts():
                self._made.append(image)
                yield image
        except BaseException:
            self.close()
            raise

    def late_functions(self) -> Sequence[Function]:
        """The other programs; then all of them are kept, and the workers are closed."""
        if self._kept is not None:
            return self._kept.part(late=True).functions
        assert self._workers is not None
        try:
            self._made += self._workers.late_parts()
        finally:
            self.close()
        self.image = image = joined(self._made)
        if sources_digest() == self._sources:  # else they were replaced meanwhile
            store_image(self._key, image)
        return image.part(late=True).functions

    def close(self) -> None:
        """Whatever is still being compiled is not wanted any more."""
        if self._workers is not None:
            self._workers.close()
