# SPDX-License-Identifier: Apache-2.0
"""slowfs.py FOLDER MOUNTPOINT: shows a folder whose files take 0.15 s to be synced."""

import errno
import os
import sys
import time

from mfusepy import FUSE, FuseOSError, Operations

ROOT = sys.argv[1]


class Slow(Operations):
    use_ns = True

    def getattr(self, path, fh=None):
        if not os.path.lexists(ROOT + path):
            raise FuseOSError(errno.ENOENT)
        s = os.lstat(ROOT + path)
        return {
            "st_mode": s.st_mode,
            "st_nlink": s.st_nlink,
            "st_size": s.st_size,
            "st_mtime": s.st_mtime_ns,
        }

    def create(self, path, mode, fi=None):
        return os.open(ROOT + path, os.O_RDWR | os.O_CREAT, mode)

    def open(self, path, flags):
        return os.open(ROOT + path, os.O_RDWR)

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        return os.pwrite(fh, data, offset)

    def truncate(self, path, length, fh=None):
        os.truncate(ROOT + path, length)
        return 0

    def unlink(self, path):
        os.unlink(ROOT + path)
        return 0

    def fsync(self, path, datasync, fh):
        time.sleep(0.15)
        return 0

    def release(self, path, fh):
        os.close(fh)
        return 0


FUSE(Slow(), sys.argv[2], foreground=True)
