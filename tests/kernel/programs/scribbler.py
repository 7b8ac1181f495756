"""Its own Python structures are garbage whenever it sleeps, and right again before they are used.

scribbler.py NAPS: in each nap some words are something else: frames, thread states, interpreters,
code objects, their names and tables. At last it leaves all of them so and is killed by a signal,
as a program would be that has overwritten its memory for real.
"""

import ctypes
import gc
import hashlib
import os
import random
import signal
import struct
import sys

from gate import ready

from iotrace.procfs.python import read_python
from iotrace.pystack.memory import ProcessMemory, read_u64
from iotrace.pystack.recognition import find_runtime

LEVELS = 7
NAP_US = 1500
OF_THE_THREAD = 6
NOWHERE = (0, 1, 8, 0x1000, 0x7FFFFFFFF000, 1 << 47, 1 << 63, (1 << 64) - 8, 0xFFFFFFFF81000000)

libc = ctypes.CDLL(None)
move, sleep, kill, me = libc.memmove, libc.usleep, libc.kill, os.getpid()
move.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
naps = int(sys.argv[1])
chance = random.Random(naps)


def nap(damage, repair):
    # Nothing here calls a Python function: some of the words are needed for that.
    for at, word in damage:
        move(at, word, 8)
    sleep(NAP_US)  # LINE nap
    if not repair:
        kill(me, signal.SIGSEGV)
    for at, word in repair:
        move(at, word, 8)


def words(whose):
    """What can be damaged, with what it should be; and what a pointer can be turned to.

    ``whose``: the code object of the frames that can be damaged.
    """
    memory = ProcessMemory(os.getpid())
    runtime = find_runtime(os.getpid(), read_python(os.getpid()), memory)
    offsets = runtime.offsets
    (state,) = runtime.thread_states(memory)
    frame = read_u64(memory, state.address + offsets.thread_frame)
    if offsets.thread_cframe is not None:
        frame = read_u64(memory, frame + offsets.thread_cframe)
    frames, code = [], id(whose)
    while frame:
        if read_u64(memory, frame + offsets.frame_code) == code:
            frames.append(frame)
        frame = read_u64(memory, frame + offsets.frame_previous)
    assert len(frames) == LEVELS, frames
    frames.pop(0)  # it goes on meanwhile: its instruction changes
    in_frame = offsets.frame_previous, offsets.frame_code, offsets.frame_instruction
    in_code = offsets.code_name, offsets.code_file, offsets.code_linetable
    objects = [read_u64(memory, code + member) for member in in_code]
    places = [frame + member for frame in frames for member in in_frame]
    places += [code + member for member in in_code]
    places += [code + (member & ~7) for member in (offsets.code_first_line, offsets.code_flags)]
    places += [one + head for one in objects for head in (16, 32)]  # lengths and kinds
    places += [
        state.address + offsets.thread_next,
        state.address + offsets.thread_ident,
        state.address + offsets.thread_frame,
        state.interpreter + offsets.interpreter_next,
        state.interpreter + offsets.interpreter_threads,
        runtime.address + offsets.interpreters,
    ]
    good = [(at, struct.pack("<Q", read_u64(memory, at))) for at in dict.fromkeys(places)]
    return good, [*places, *frames, *objects, code, state.address, state.interpreter]


def wrong(targets):
    choices = (*NOWHERE, chance.getrandbits(64), *chance.choices(targets, k=9))
    return struct.pack("<Q", chance.choice(choices))


def level(depth):
    if depth > 1:
        return hashlib.sha256(level(depth - 1) + bytes([depth])).digest()
    good, targets = words(level.__code__)
    for _ in range(naps):
        # Who cannot find the thread does not look for a while: mostly it can be found.
        within = good if not chance.randrange(32) else good[:-OF_THE_THREAD]
        repair = chance.sample(within, chance.randint(1, 5))
        nap([(at, wrong(targets)) for at, _ in repair], repair)
    nap([(at, wrong(targets)) for at, _ in good], good)
    return b"bottom"


def fall(depth):
    """Everything points to itself, for good."""
    if depth > 1:
        return fall(depth - 1)
    circles = [(at, struct.pack("<Q", at)) for at, _ in words(fall.__code__)[0]]
    return nap(circles, ())


gc.disable()
ready()
print(level(LEVELS).hex(), flush=True)
fall(LEVELS)
