# SPDX-License-Identifier: Apache-2.0
"""A file system in the cloud, as it were, with one program: opening it takes 0.7 s."""

import stat
import sys
import time

from mfusepy import FUSE, FuseOSError, Operations

PROGRAM = b"#!/bin/sh\necho converted\n"


class Cloud(Operations):
    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path != "/convert":
            raise FuseOSError(2)
        return {"st_mode": stat.S_IFREG | 0o755, "st_nlink": 1, "st_size": len(PROGRAM)}

    def open(self, path, flags):
        time.sleep(0.7)
        return 1

    def read(self, path, size, offset, fh):
        return PROGRAM[offset : offset + size]


FUSE(Cloud(), sys.argv[1], foreground=True)
