"""scanner.py DIRECTORY: whoever opens a file there waits until it is allowed, 0.4 s later.

It ends when its standard input does, and says when it begins. As fanotify(7) has it.
"""

import ctypes
import os
import select
import struct
import sys
import time

CONTENT_CLASS, ADD, OPEN_PERMISSION, OF_CHILDREN, ALLOW = 4, 1, 0x10000, 0x08000000, 1
HERE = -100
EVENT = struct.Struct("=IBBHQii")

libc = ctypes.CDLL(None, use_errno=True)
group = libc.fanotify_init(CONTENT_CLASS, os.O_RDONLY)
mask = ctypes.c_uint64(OPEN_PERMISSION | OF_CHILDREN)
if group < 0 or libc.fanotify_mark(group, ADD, mask, HERE, os.fsencode(sys.argv[1])):
    sys.exit(f"fanotify: {os.strerror(ctypes.get_errno())}")
print("scans", flush=True)
while sys.stdin not in (ready := select.select([group, sys.stdin], [], [])[0]):
    assert ready
    events = os.read(group, 4096)
    for at in range(0, len(events), EVENT.size):
        opened = EVENT.unpack_from(events, at)[5]
        time.sleep(0.4)
        os.write(group, struct.pack("=iI", opened, ALLOW))
        os.close(opened)
