# SPDX-License-Identifier: Apache-2.0
"""A file system over a network, as it were: each look at a file takes 30 ms."""

import errno
import stat
import sys
import time

from mfusepy import FUSE, FuseOSError, Operations

FILES = [f"{number}.ipynb" for number in range(20)]


class Far(Operations):
    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path[1:] not in FILES:
            raise FuseOSError(errno.ENOENT)
        time.sleep(0.03)
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": 1, "st_mtime": 1}

    def readdir(self, path, fh):
        return [".", "..", *FILES]


FUSE(Far(), sys.argv[1], foreground=True, attr_timeout=0, entry_timeout=0)
