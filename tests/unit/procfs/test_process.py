"""Who a process is, in which namespaces, and whose child."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.children import parse_children, read_children
from iotrace.procfs.files import ProcessErrors, read_process_file
from iotrace.procfs.namespace import (
    INITIAL_PID_NAMESPACE,
    find_by_inner_pid,
    read_namespace,
    read_own_namespace,
    read_pids,
    shares_namespace,
)
from iotrace.procfs.process import Program, parse_cmdline, read_identity, read_program

from . import samples

STAT_OF = "%d (x) S %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 5\n"


def test_arguments() -> None:
    assert parse_cmdline(b"python\0-c\0a b\n\0\0-x\0") == ("python", "-c", "a b\n", "", "-x")
    assert parse_cmdline(b"gunicorn: master [app]\0\0\0\0") == ("gunicorn: master [app]",)
    assert parse_cmdline(b"\xff\xfe\0") == ("\udcff\udcfe",)
    assert parse_cmdline(b"") == ()


def test_a_real_process(spawn) -> None:
    before = time.monotonic_ns()
    child = spawn(
        "threading.Thread(target=threading.Event().wait, daemon=True).start()", b"\xff \n"
    )
    process, program = read_identity(child.pid), read_program(child.pid)
    assert (process.pid, process.parent) == (child.pid, os.getpid())
    assert program.cmdline[0] == sys.executable
    assert program.cmdline[-1] == "\udcff \n"
    assert program.exe == str(Path(sys.executable).resolve())
    assert process.name == Path(sys.executable).name[:15]
    assert (process.uid, process.threads) == (os.geteuid(), 2)
    assert not process.kernel_thread
    assert process.namespaced_ids[0] == child.pid
    assert 0 <= process.started_ns - before + 11_000_000 < 20_000_000_000


def test_endless_arguments_are_cut_off(spawn) -> None:
    child = spawn("", *["x" * 1000] * 100)
    cmdline = read_program(child.pid).cmdline
    assert cmdline[0] == sys.executable
    assert cmdline[-1] == "..."
    assert sum(map(len, cmdline)) < 17_000


def test_a_thread_leads_to_its_process(spawn) -> None:
    child = spawn("""
thread = threading.Thread(target=threading.Event().wait, daemon=True)
thread.start()
said.update(tid=thread.native_id)
""")
    assert read_identity(child.said["tid"]) == read_identity(child.pid)


def test_a_process_that_ended_but_was_not_waited_for() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        process, program = read_identity(child.pid), read_program(child.pid)
        with pytest.raises(NoSuchProcess):
            read_namespace(child.pid, "net")
    assert (program, process.name) == (Program((), None), "true")


def test_a_kernel_thread(tree) -> None:
    status = b"Name:\tkthreadd\nTgid:\t2\nPid:\t2\nPPid:\t0\nUid:\t0\t0\t0\t0\nThreads:\t1\n"
    switches = b"voluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t0\n"
    root = tree(
        {
            "2/stat": samples.KERNEL_THREAD_STAT,
            "2/status": status + switches,
            "2/cmdline": b"",
        }
    )
    process, program = read_identity(2, root), read_program(2, root)
    assert (process.name, process.kernel_thread, program.exe) == ("kthreadd", True, None)


def test_no_such_process(spawn) -> None:
    child = spawn("")
    child.popen.communicate()
    with pytest.raises(NoSuchProcess) as raised:
        read_identity(child.pid)
    assert (raised.value.what, raised.value.code) == (f"there is no process {child.pid}", 4)


def test_a_process_whose_main_thread_has_ended_is_told_as_that(spawn) -> None:
    child = spawn(
        "import ctypes, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "print('null', flush=True)\n"
        "ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)"
    )
    with pytest.raises(NoSuchProcess) as raised:
        while True:
            read_process_file(child.pid, "net/tcp")
    assert raised.value.what == f"the main thread of process {child.pid} has ended"


def test_a_process_that_only_has_several_threads_has_lost_none(spawn) -> None:
    child = spawn("threading.Thread(target=threading.Event().wait, daemon=True).start()")
    with pytest.raises(NoSuchProcess) as raised, ProcessErrors(child.pid):
        raise ProcessLookupError(3, "no", f"/proc/{child.pid}/fd")
    assert raised.value.what == f"there is no process {child.pid}"


def test_a_refusal_names_the_file() -> None:
    with pytest.raises(PermissionDenied) as raised, ProcessErrors(1):
        raise PermissionError(13, "no", "/proc/1/fd")
    assert "/proc/1/fd" in raised.value.why
    assert raised.value.paste


def test_other_errors_of_the_system_pass() -> None:
    with pytest.raises(OSError, match="too many"), ProcessErrors(1):
        raise OSError(24, "too many open files")


def test_a_child_shares_our_namespaces(spawn) -> None:
    child = spawn("")
    assert shares_namespace(child.pid, "pid")
    assert shares_namespace(child.pid, "net")
    assert read_namespace(child.pid, "pid") != read_namespace(child.pid, "net")
    assert read_own_namespace("pid").inode == Path("/proc/self/ns/pid").stat().st_ino


def test_namespaces_that_differ_and_those_that_are_not_there(tree) -> None:
    root = tree({"self/ns/pid": b"ours", "7/ns/pid": b"theirs", "11/stat": b""})
    assert not shares_namespace(7, "pid", root)
    with pytest.raises(Unsupported, match=r"has no .*/11/ns/pid"):
        read_namespace(11, "pid", root)
    with pytest.raises(Unsupported, match="doesn't show this very process"):
        read_own_namespace("net", root)


def test_the_first_pid_namespace_has_the_number_that_kernels_give_it() -> None:
    assert INITIAL_PID_NAMESPACE == 4026531836


def test_a_pid_of_a_container_is_found_from_outside(tree) -> None:
    def status(pid: int, *inner: int) -> bytes:
        numbers = "\t".join(map(str, (pid, *inner)))
        return samples.STATUS.replace(b"3847\t7", numbers.encode())

    root = tree(
        {
            "7/status": status(7),
            "3847/status": status(3847, 7),
            "3851/status": status(3851, 2, 1),
            "3853/status": status(3853, 7, 1),
            "self/status": status(9, 7),
        }
    )
    assert read_pids(root) == (7, 3847, 3851, 3853)
    assert find_by_inner_pid(7, root) == (3847, 3853)
    assert find_by_inner_pid(13, root) == ()


def test_children_and_their_children(spawn) -> None:
    child = spawn("""
import subprocess
def start():
    script = (
        "import os\\nif os.fork(): os.wait()\\n"
        "else: print(os.getpid(), flush=True); os.read(0, 1)"
    )
    inner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    said.update(child=inner.pid, grandchild=int(inner.stdout.readline()))
thread = threading.Thread(target=start)
thread.start()
thread.join()
""")
    family = (child.said["child"], child.said["grandchild"])
    assert read_children(child.pid) == family
    assert read_children(family[1]) == ()


def test_children_from_the_files_of_all_threads(tree) -> None:
    root = tree(
        {
            "7/task/7/children": b"11 13 ",
            "7/task/8/children": b"17 ",
            "11/task/11/children": b"",
            "13/task/13/children": b"19 7 ",
            "17/task/17/children": b"",
        }
    )
    assert read_children(7, root) == (11, 13, 17, 19)


def test_children_where_the_kernel_lists_none(tree) -> None:
    parents = {7: 1, 11: 7, 13: 7, 19: 13, 23: 1}
    files = {f"{pid}/stat": (STAT_OF % (pid, parent)).encode() for pid, parent in parents.items()}
    root = tree(files | {"7/task/7/stat": b"", "29": "gone"})
    assert read_children(7, root) == (11, 13, 19)


def test_children_of_nobody(tree) -> None:
    with pytest.raises(NoSuchProcess):
        read_children(7, tree({"1/stat": b""}))
    with pytest.raises(ValueError, match="invalid literal"):
        parse_children(b"7 x")
