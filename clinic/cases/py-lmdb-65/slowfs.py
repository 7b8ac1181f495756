# SPDX-License-Identifier: Apache-2.0
"""A network share, as it were, with one large file: 0.2 s for 128 KiB."""

import stat
import sys
import time

from mfusepy import FUSE, FuseOSError, Operations

SIZE = 1 << 36


class Far(Operations):
    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path != "/vectors.f32":
            raise FuseOSError(2)
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": SIZE}

    def read(self, path, size, offset, fh):
        time.sleep(0.2 * size / (1 << 17))
        return bytes(size)


FUSE(Far(), sys.argv[1], foreground=True)
