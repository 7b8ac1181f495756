"""/proc/PID/mountinfo: which file system a path is on."""

from __future__ import annotations

import os

from iotrace.procfs.mounts import mount_of, parse_mounts, read_mounts

_INFO = rb"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
31 22 0:40 / /srv/my\040disk rw - nfs4 nas:/export rw,vers=4.2
32 31 0:41 / /srv/my\040disk/deep rw - tmpfs tmpfs rw
33 22 0:42 / /srv/my\040disk rw - fuse.slow none rw
short line - ext4
"""


def test_the_longest_mount_and_the_latest_of_a_place_is_meant() -> None:
    mounts = parse_mounts(_INFO)
    assert [str(one) for one in mounts] == [
        "ext4 at / from /dev/vda1",
        "nfs4 at /srv/my disk from nas:/export",
        "tmpfs at /srv/my disk/deep",
        "fuse.slow at /srv/my disk",
    ]
    named = {path: mount_of(path, mounts) for path in ("/srv/my disk/a", "/srv/my disk/deep/b")}
    assert [one.kind for one in named.values() if one] == ["fuse.slow", "tmpfs"]
    root = mount_of("/srv/my diskette/a", mounts)
    assert root is not None and root.point == "/"
    assert mount_of("", mounts) is None


def test_this_process_has_mounts() -> None:
    assert any(one.point == "/" for one in read_mounts(os.getpid()))
