# SPDX-License-Identifier: Apache-2.0
"""What container runtimes call their containers, from the files that they keep for root.

Podman: ``containers.json`` of containers/storage; Docker: ``config.v2.json`` of each container;
containerd: the OCI ``config.json`` of each running task, whose annotations are those of its CRI
plug-in and of nerdctl; CRI-O: the same file, below its own directory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from iotrace.procfs.files import TooLarge, read_file

_PODMAN = ("/var/lib/containers/storage", "/run/containers/storage")
_DOCKER = "/var/lib/docker/containers"
_OCI = (
    "/run/containerd/io.containerd.runtime.v2.task/*/*",
    "/run/containers/storage/overlay-containers/*/userdata",
    "/var/lib/containers/storage/overlay-containers/*/userdata",
)
_NAME_KEYS = ("io.kubernetes.cri.container-name", "nerdctl/name", "io.kubernetes.container.name")
_POD_KEYS = (
    ("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name"),
    ("io.kubernetes.pod.namespace", "io.kubernetes.pod.name"),
)
_FILE_BYTES = 1 << 22
_MOST_CONTAINERS = 1 << 13


@dataclass(frozen=True, slots=True)
class Container:
    """One container: its id, the names that it goes by, and its pod ("namespace/name"), or ""."""

    id: str
    names: tuple[str, ...]
    pod: str


def read_containers(prefix: str = "") -> dict[str, Container]:
    """The containers of this host that can be known, by id. ``prefix``: of all paths, in tests."""
    found: dict[str, Container] = {}
    for container in (*_of_podman(prefix), *_of_docker(prefix), *_of_oci(prefix)):
        known = found.get(container.id)
        if known is None and len(found) >= _MOST_CONTAINERS:
            break
        names = known.names if known else ()
        found[container.id] = Container(
            container.id,
            tuple(dict.fromkeys((*names, *container.names))),
            container.pod or (known.pod if known else ""),
        )
    return found


def _of_podman(prefix: str) -> Iterator[Container]:
    for storage in _PODMAN:
        for driver in ("overlay", "vfs", "btrfs", "zfs"):
            entries = _read_json(f"{prefix}{storage}/{driver}-containers/containers.json")
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict):
                    names = entry.get("names")
                    yield Container(_text(entry.get("id")), tuple(map(_text, names or ())), pod="")


def _of_docker(prefix: str) -> Iterator[Container]:
    for directory in _directories(f"{prefix}{_DOCKER}"):
        entry = _read_json(f"{directory}/config.v2.json")
        if isinstance(entry, dict):
            config = entry.get("Config")
            labels = config.get("Labels") if isinstance(config, dict) else None
            name, pod = _named_by(labels if isinstance(labels, dict) else {})
            own = _text(entry.get("Name")).lstrip("/")
            yield Container(_text(entry.get("ID")), _only(own, name), pod)


def _of_oci(prefix: str) -> Iterator[Container]:
    for pattern in _OCI:
        base, _, rest = pattern.partition("/*")
        directories = list(_directories(f"{prefix}{base}"))
        if rest.startswith("/*"):  # one level of containerd's namespaces
            directories = [inner for outer in directories for inner in _directories(outer)]
            rest = rest.removeprefix("/*")
        for directory in directories:
            entry = _read_json(f"{directory}{rest}/config.json")
            if isinstance(entry, dict) and isinstance(entry.get("annotations"), dict):
                name, pod = _named_by(entry["annotations"])
                yield Container(directory.rpartition("/")[2], _only(name), pod)


def _named_by(labels: dict[Any, Any]) -> tuple[str, str]:
    """The container's name and its pod."""
    name = next((_text(labels[key]) for key in _NAME_KEYS if key in labels), "")
    for namespace_key, name_key in _POD_KEYS:
        if namespace_key in labels and name_key in labels:
            return name, f"{_text(labels[namespace_key])}/{_text(labels[name_key])}"
    return name, ""


def _only(*names: str) -> tuple[str, ...]:
    return tuple(name for name in names if name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _directories(path: str) -> Iterator[str]:
    try:
        with os.scandir(path) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for name in sorted(names)[:_MOST_CONTAINERS]:
        yield f"{path}/{name}"


def _read_json(path: str) -> Any:
    """None where there is nothing that can be made sense of."""
    try:
        return json.loads(read_file(path, most_bytes=_FILE_BYTES))
    except (OSError, TooLarge, ValueError, RecursionError):
        return None
