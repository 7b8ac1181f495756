"""A file system of the attacker's that never answers a read: FUSE.

The daemon takes each read, so that the kernel waits for it beyond any signal, and is silent. When
the attacker's process is killed, its daemon is too, and the kernel gives the waiting ones free.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.attacks.attacker import ATTACKER, attacker_owns

_PRELUDE = r"""
import ctypes, mmap, os, signal, struct, sys, threading
folder, user = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *(ctypes.c_int,) * 3, ctypes.c_long)
PAGE, SIZE = 4096, 1 << 20

def check(result):
    if result == -1 or result == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

# What fusermount3, which is root's, does for any user; here it is seen by this process alone.
check(libc.unshare(0x00020000))  # CLONE_NEWNS
check(libc.mount(b"none", b"/", None, 0x44000, None))  # MS_REC | MS_PRIVATE
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id={user},group_id={user}".encode()
check(libc.mount(b"silent", folder.encode(), b"fuse", 6, options))  # MS_NOSUID | MS_NODEV
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
libc.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as any process is that was started by its user

def attributes(inode):
    mode, size = (0o40755, 0) if inode == 1 else (0o100755, SIZE)
    return struct.pack("<6Q10I", inode, size, size // 512, *[0] * 6, mode, 1, 0, 0, 0, PAGE, 0)

def answer(opcode, inode):
    if opcode == 26:  # INIT
        return 0, struct.pack("<4I2H2I2HI7I", 7, 31, 0, 0, 9, 9, PAGE, 1, 0, 0, 0, *[0] * 7)
    if opcode == 1:  # LOOKUP
        return 0, struct.pack("<4Q2I", 2, 0, 0, 0, 0, 0) + attributes(2)
    if opcode == 3:  # GETATTR
        return 0, struct.pack("<Q2I", 0, 0, 0) + attributes(inode)
    if opcode in (14, 27):  # OPEN, OPENDIR
        return 0, struct.pack("<Q2I", 0, 2, 0)
    return (0 if opcode in (18, 25, 29, 34) else -38), b""

def serve():
    libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    while True:
        request = os.read(device, 1 << 17)
        _, opcode, unique, inode = struct.unpack_from("<IIQQ", request)
        if opcode == 15:
            open(asked, "w").close()
        if opcode in (2, 42) or opcode == 15 or (opcode == 3 and os.path.exists(quiet)):
            continue  # FORGET has no answer, and READ gets none
        error, body = answer(opcode, inode)
        os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)

quiet, asked = folder + ".quiet", folder + ".asked"
if not os.fork():
    serve()
os.close(device)
silent = os.open(folder + "/silent", os.O_RDONLY)
address = check(libc.mmap(None, SIZE, 3, 2, silent, 0))  # PROT_READ | PROT_WRITE, MAP_PRIVATE
"""

_EPILOGUE = r"""
print("ready", flush=True)
while True:
    signal.pause()
"""


@contextmanager
def silent_process(
    directory: Path, code: str, *arguments: object
) -> Iterator[subprocess.Popen[str]]:
    """A process of the attacker's that has run ``code``.

    There ``address`` is where a megabyte of a silent file is mapped, ``silent`` a descriptor of it.
    ``sys.argv[3:]`` are the arguments. Once ``quiet`` exists, not even fstat(2) is answered;
    ``asked`` exists once somebody has read.
    """
    folder = directory / "silent"
    folder.mkdir()
    attacker_owns(folder, 0o755)
    process = subprocess.Popen(
        [sys.executable, "-I", "-u", "-c", _PRELUDE + code + _EPILOGUE,
         str(folder), str(ATTACKER), *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "the attacker's process ended"
        yield process
    finally:
        process.kill()
        process.communicate()
