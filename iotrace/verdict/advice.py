# SPDX-License-Identifier: Apache-2.0
"""What to do about a call that keeps a thread waiting, in the words of what the program uses."""

from __future__ import annotations

from iotrace.verdict.stack import Stack

_TO_A_THREAD = {
    Stack.ASYNCIO: "hand it to a thread: await asyncio.to_thread(call)",
    Stack.TRIO: "hand it to a thread: await trio.to_thread.run_sync(call)",
    Stack.TWISTED: "hand it to a thread: deferToThread(call)",
    Stack.GEVENT: "hand it to a real thread: gevent.get_hub().threadpool.apply(call)",
    Stack.EVENTLET: "hand it to a real thread: eventlet.tpool.execute(call)",
}
_ELSEWHERE = "hand it to a thread (a ThreadPoolExecutor), which tells the loop when it is done"

_COOPERATIVE = {
    Stack.ASYNCIO: {
        "sleep": "Use await asyncio.sleep() in place of time.sleep()",
        "child": "Use await asyncio.create_subprocess_exec() in place of subprocess",
        "peer": "Use an async client (httpx.AsyncClient, aiohttp, asyncpg, redis.asyncio)",
    },
    Stack.TRIO: {
        "sleep": "Use await trio.sleep() in place of time.sleep()",
        "child": "Use await trio.run_process() in place of subprocess",
        "peer": "Use an async client (httpx.AsyncClient, trio streams)",
    },
    Stack.TWISTED: {
        "sleep": "Use reactor.callLater() or deferLater() in place of time.sleep()",
        "child": "Use reactor.spawnProcess() in place of subprocess",
        "peer": "Use a client that returns Deferreds (treq, adbapi)",
    },
    Stack.GEVENT: {
        "sleep": "Use gevent.sleep(): monkey.patch_all() must run before all other imports",
        "child": "Use gevent.subprocess: monkey.patch_all() must run before all other imports",
        "peer": "The call does not give way to other greenlets: run monkey.patch_all() before all "
        "other imports; a driver in C needs its wait callback (psycopg2: psycogreen)",
    },
    Stack.EVENTLET: {
        "sleep": "Use eventlet.sleep(): eventlet.monkey_patch() must run before all other imports",
        "child": "Use eventlet.green.subprocess: eventlet.monkey_patch() must run before all other "
        "imports",
        "peer": "The call does not give way to other greenlets: run eventlet.monkey_patch() before "
        "all other imports; a driver in C needs eventlet.tpool",
    },
}
_COMPUTE = {
    Stack.ASYNCIO: "hand it to a process pool (await loop.run_in_executor(pool, work); threads "
    "help only where it gives back the GIL), or split it and give way with await asyncio.sleep(0)",
    Stack.TRIO: "hand it to a process (trio.run_process), or split it and give way with await "
    "trio.lowlevel.checkpoint()",
    Stack.TWISTED: "hand it to a process pool by deferToThread, or split it "
    "(twisted.internet.task.cooperate)",
    Stack.GEVENT: "hand it to other processes (more workers, a ProcessPoolExecutor in "
    "gevent.get_hub().threadpool), or split it and give way with gevent.sleep(0)",
    Stack.EVENTLET: "hand it to other processes (more workers, a ProcessPoolExecutor in "
    "eventlet.tpool), or split it and give way with eventlet.sleep(0)",
    Stack.UNKNOWN: "hand it to a process pool (in asyncio: await "
    "loop.run_in_executor(pool, work)), or split it over several iterations",
}
_PLAIN = {
    "sleep": "Wait in the multiplexer's timeout in place of time.sleep()",
    "child": "Watch the child's pidfd or pipe in the multiplexer",
    "peer": "Make the socket non-blocking and watch it in the multiplexer",
}


def instead_of_blocking(
    stack: Stack,
    reason: str,
    *,
    output_pipe: bool = False,
    input_pipe: bool = False,
    starts_child: bool = False,
) -> str:
    """What to do about a call inside an event loop's thread.

    ``reason``: the wait reason that took most (vocabulary/waits.py), or "poll_of_one".
    ``output_pipe``: it writes to a pipe, such as stdout or stderr that somebody else reads.
    ``input_pipe``: it reads from one, such as the output of a subprocess. ``starts_child``: it is
    in subprocess's own code, which waits until the child has called exec.
    """
    to_a_thread = _TO_A_THREAD.get(stack, _ELSEWHERE)
    if starts_child:
        return (
            "Whoever starts a child waits until it has called exec, with asyncio as well. Do "
            "without preexec_fn (start_new_session=, process_group=, user=, umask=; set limits "
            "with prlimit), keep the program on a quick disk, or start it in a thread: "
            "await asyncio.to_thread(subprocess.Popen, ...), or by a small process that forks."
        )
    if output_pipe:
        return (
            "Who reads the other end of the pipe is slow or has stopped: let it read, or send "
            "the output to a file. Log by way of logging.handlers.QueueHandler and QueueListener, "
            "so that another thread does the writing."
        )
    if input_pipe:
        way = _COOPERATIVE.get(stack, _PLAIN)["child"]
        return (
            f"It reads a pipe (the output of a subprocess?) and all others wait until something "
            f"is written there. {way} and read its output the loop's way; or {to_a_thread}."
        )
    if reason == "file":
        return f"The file system answers late: {to_a_thread}."
    if reason == "lock":
        return f"Do not wait for a lock of threads here: {to_a_thread}."
    if reason == "fault":
        return f"Memory that is touched here has to come from storage first: {to_a_thread}."
    if reason == "other":
        return f"The call blocks: {to_a_thread}."
    if reason == "gil":
        return (
            "Another thread of this process computes in Python meanwhile: move its work to a "
            "process (ProcessPoolExecutor), or to workers of their own."
        )
    kind = reason if reason in ("sleep", "child") else "peer"
    way = _COOPERATIVE.get(stack, _PLAIN)[kind]
    limit = " Give the call a timeout." if kind == "peer" else ""
    return f"{way}; or {to_a_thread}.{limit}"


def instead_of_computing(stack: Stack) -> str:
    """What to do about computing inside an event loop's thread."""
    once = "Do once what is the same each time (clients, TLS contexts, templates, parsed files)"
    return f"{once}; else {_COMPUTE.get(stack, _COMPUTE[Stack.UNKNOWN])}."
