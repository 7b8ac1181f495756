# SPDX-License-Identifier: Apache-2.0
"""A share near by: a file takes some milliseconds."""

import stat
import sys
import time

from mfusepy import FUSE, Operations


class Near(Operations):
    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": 100}

    def open(self, path, flags):
        time.sleep(0.003)
        return 1

    def read(self, path, size, offset, fh):
        return bytes(100)[offset : offset + size]


FUSE(Near(), sys.argv[1], foreground=True)
