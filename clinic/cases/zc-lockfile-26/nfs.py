# SPDX-License-Identifier: Apache-2.0
"""nfs.py MOUNTPOINT: NFS, as it were, whose lock manager never answers; files work."""

import stat
import sys
import time

from mfusepy import FUSE, FuseOSError, Operations

files = {}


class Nfs(Operations):
    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path not in files:
            raise FuseOSError(2)
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": len(files[path])}

    def create(self, path, mode, fi=None):
        files[path] = b""
        return 1

    def open(self, path, flags):
        return 1

    def read(self, path, size, offset, fh):
        return files[path][offset : offset + size]

    def truncate(self, path, length, fh=None):
        files[path] = files[path][:length]

    def flock(self, path, fh, op):
        time.sleep(3600)
        return 0


FUSE(Nfs(), sys.argv[1], foreground=True)
