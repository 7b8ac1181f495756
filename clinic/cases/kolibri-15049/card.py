# SPDX-License-Identifier: Apache-2.0
"""card.py FOLDER MOUNTPOINT: an SD card, as it were, in which a sync takes 30 ms."""

import os
import sys
import time

from mfusepy import FUSE, Operations

ROOT = sys.argv[1]


class Card(Operations):
    use_ns = True

    def getattr(self, path, fh=None):
        s = os.lstat(ROOT + path)
        return {"st_mode": s.st_mode, "st_nlink": s.st_nlink, "st_size": s.st_size}

    def open(self, path, flags):
        return os.open(ROOT + path, flags & os.O_ACCMODE)

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        return os.pwrite(fh, data, offset)

    def fsync(self, path, datasync, fh):
        time.sleep(0.03)
        return 0


FUSE(Card(), sys.argv[2], foreground=True)
