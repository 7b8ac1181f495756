# SPDX-License-Identifier: Apache-2.0
"""NFS, as it were: each file takes 0.4 s to be opened."""

import stat
import sys
import time

from mfusepy import FUSE, Operations


class Far(Operations):
    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": 100}

    def open(self, path, flags):
        time.sleep(0.4)
        return 1

    def read(self, path, size, offset, fh):
        return bytes(100)[offset : offset + size]


FUSE(Far(), sys.argv[1], foreground=True)
