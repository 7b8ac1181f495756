# SPDX-License-Identifier: Apache-2.0
"""The lines to paste, per place: a distribution, a container, a pod."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PLACES = ("debian", "ubuntu", "fedora", "arch", "alpine", "container", "kubernetes")

_LIKE = {
    "rhel": "fedora",
    "centos": "fedora",
    "rocky": "fedora",
    "almalinux": "fedora",
    "linuxmint": "ubuntu",
    "pop": "ubuntu",
    "raspbian": "debian",
    "manjaro": "arch",
    "endeavouros": "arch",
}

_CONTAINER = (
    "docker run --user 0 --cap-add BPF --cap-add PERFMON --cap-add SYS_PTRACE "
    "--cap-add DAC_READ_SEARCH --pid=container:TARGET --security-opt seccomp=unconfined "
    "IMAGE iotrace attach 1"
)
_KUBERNETES = (
    "kubectl debug -it POD --target=CONTAINER --image=IMAGE --profile=sysadmin -- iotrace attach 1"
)


def everywhere(line: str) -> Mapping[str, str]:
    """The same line in all places."""
    return dict.fromkeys(PLACES, line)


PRIVILEGES: Mapping[str, str] = {
    **dict.fromkeys(("debian", "ubuntu", "fedora", "arch"), "sudo iotrace doctor"),
    "alpine": "doas iotrace doctor",
    "container": _CONTAINER,
    "kubernetes": _KUBERNETES,
}
_FILTER = "sudo systemctl edit UNIT  # [Service] SystemCallFilter=bpf perf_event_open"
SECCOMP: Mapping[str, str] = {
    **dict.fromkeys(("debian", "ubuntu", "fedora", "arch"), _FILTER),
    "alpine": "grep Seccomp /proc/self/status  # whoever started this has set a filter",
    "container": _CONTAINER,
    "kubernetes": _KUBERNETES,
}
CACHE: Mapping[str, str] = {
    **everywhere("podman run -v iotrace-cache:/var/cache/iotrace ..."),
    "kubernetes": "kubectl edit daemonset iotrace  # a hostPath volume at /var/cache/iotrace",
}
BCC: Mapping[str, str] = {
    "debian": "sudo apt-get install python3-bpfcc",
    "ubuntu": "sudo apt-get install python3-bpfcc",
    "fedora": "sudo dnf install bcc python3-bcc",
    "arch": "sudo pacman -S bcc python-bcc",
    "alpine": "doas apk add bcc py3-bcc",
    "container": "RUN apt-get update && apt-get install -y python3-bpfcc  # Dockerfile",
    "kubernetes": "kubectl debug ... --image=an image that holds python3-bpfcc",
}
KERNEL: Mapping[str, str] = {
    "debian": "sudo apt-get install linux-image-$(dpkg --print-architecture) && sudo reboot",
    "ubuntu": "sudo apt-get install linux-image-generic && sudo reboot",
    "fedora": "sudo dnf upgrade kernel && sudo reboot",
    "arch": "sudo pacman -S linux && sudo reboot",
    "alpine": "doas apk add linux-lts && doas reboot",
    "container": "uname -r  # the host's kernel: fix it there",
    "kubernetes": "kubectl get nodes -o wide  # the node's kernel: choose another node image",
}
_MOUNT = "mount -t tracefs tracefs /sys/kernel/tracing"
TRACEFS: Mapping[str, str] = {
    **dict.fromkeys(("debian", "ubuntu", "fedora", "arch"), f"sudo {_MOUNT}"),
    "alpine": f"doas {_MOUNT}",
    "container": "docker run -v /sys/kernel/tracing:/sys/kernel/tracing:ro ...",
    "kubernetes": "kubectl debug node/NODE --profile=sysadmin ...",
}


def sysctl(setting: str) -> Mapping[str, str]:
    """The line that sets a kernel setting until the next boot."""
    return {
        **dict.fromkeys(("debian", "ubuntu", "fedora", "arch"), f"sudo sysctl -w {setting}"),
        "alpine": f"doas sysctl -w {setting}",
        "container": f"sudo sysctl -w {setting}  # on the host",
        "kubernetes": f"sysctl -w {setting}  # on the node",
    }


def parse_os_release(text: str) -> str | None:
    """The place that an os-release file (man os-release(5)) names, None: one we know no lines of.

    The first known name of ID and ID_LIKE.
    """
    values = {}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        values[key.strip()] = value.strip().strip("\"'")
    names = [values.get("ID", ""), *values.get("ID_LIKE", "").split()]
    for name in names:
        known = _LIKE.get(name, name)
        if known in PLACES:
            return known
    return None


def place(root: str = "/") -> str:
    """Where we are, as far as files tell: a pod, a container, a distribution (else debian's)."""
    if os.access(Path(root, "var/run/secrets/kubernetes.io"), os.F_OK):
        return "kubernetes"
    marks = (".dockerenv", "run/.containerenv")
    if any(os.access(Path(root, mark), os.F_OK) for mark in marks):
        return "container"
    for path in ("etc/os-release", "usr/lib/os-release"):
        try:
            return parse_os_release(Path(root, path).read_text(errors="replace")) or "debian"
        except OSError:
            continue
    return "debian"
