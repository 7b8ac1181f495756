# SPDX-License-Identifier: Apache-2.0
"""share.py FOLDER MOUNTPOINT DELAY: a folder as a network share: each call takes DELAY seconds."""

import errno
import os
import sys
import time

from mfusepy import FUSE, FuseOSError, Operations

ROOT, DELAY = sys.argv[1], float(sys.argv[3])


def far(call, *arguments):
    time.sleep(DELAY)
    try:
        return call(*arguments)
    except OSError as error:
        raise FuseOSError(error.errno or errno.EIO) from None


class Share(Operations):
    use_ns = True

    def getattr(self, path, fh=None):
        s = far(os.lstat, ROOT + path)
        return {
            "st_mode": s.st_mode,
            "st_nlink": s.st_nlink,
            "st_size": s.st_size,
            "st_mtime": s.st_mtime_ns,
            "st_uid": s.st_uid,
            "st_gid": s.st_gid,
        }

    def readdir(self, path, fh):
        return [".", "..", *far(os.listdir, ROOT + path)]

    def create(self, path, mode, fi=None):
        return far(os.open, ROOT + path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def open(self, path, flags):
        return far(os.open, ROOT + path, flags & (os.O_ACCMODE | os.O_TRUNC))

    def read(self, path, size, offset, fh):
        return far(os.pread, fh, size, offset)

    def write(self, path, data, offset, fh):
        return far(os.pwrite, fh, data, offset)

    def truncate(self, path, length, fh=None):
        far(os.truncate, ROOT + path, length)

    def unlink(self, path):
        far(os.unlink, ROOT + path)

    def release(self, path, fh):
        os.close(fh)
        return 0


FUSE(Share(), sys.argv[2], foreground=True)
