# SPDX-License-Identifier: Apache-2.0
"""A network drive, as it were."""

import stat
import sys

from mfusepy import FUSE, Operations


class Far(Operations):
    def getattr(self, path, fh=None):
        return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}

    def statfs(self, path):
        return {"f_bsize": 4096, "f_blocks": 1 << 20, "f_bfree": 1 << 19, "f_bavail": 1 << 19}


FUSE(Far(), sys.argv[1], foreground=True)
