"""Two subinterpreters, each with a GIL of its own, in threads of their own: 3.12 and later.

One takes naps, and so does the main interpreter. The other reads what a second thread of it writes,
which then computes: once something is there, a read takes what its GIL takes. The main GIL is free.
"""

import json
import os
import sys
import threading
import time

NAP_S = 0.03


def nap(times):
    for _ in range(times):
        time.sleep(NAP_S)  # LINE sub


def nap_in_main(times):
    for _ in range(times):
        time.sleep(NAP_S)  # LINE main


def read(times, source, fill, told):
    """Reads what a second thread writes, which computes on: how long each took from there on."""
    asked, answered = [0], [0]
    wrote_ns = [0]

    def write_and_compute():
        for number in range(times):
            while asked[0] <= number:
                sum(range(1000))
            wrote_ns[0] = time.perf_counter_ns()
            os.write(fill, b"x")
            while answered[0] <= number:
                sum(range(1000))

    writer = threading.Thread(target=write_and_compute)
    writer.start()
    waited_ns = 0
    for _ in range(times):
        asked[0] += 1
        os.read(source, 1)
        waited_ns += time.perf_counter_ns() - wrote_ns[0]
        answered[0] += 1
    writer.join()
    os.write(told, json.dumps(waited_ns).encode())


if __name__ == "__main__":
    from gate import finished, ready

    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters

    naps, naps_in_main, reads = map(int, sys.argv[1:])
    source, fill = os.pipe()
    result, told = os.pipe()
    start = f"import sys; sys.path[:0] = [{sys.path[0]!r}]; import subinterpreters; "
    work = [
        f"subinterpreters.nap({naps})",
        f"subinterpreters.read({reads}, {source}, {fill}, {told})",
    ]
    made = [interpreters.create() for _ in work]
    go = threading.Event()

    def run(interpreter, script):
        go.wait()
        interpreters.run_string(interpreter, start + script)  # LINE run

    threads = [threading.Thread(target=run, args=both) for both in zip(made, work, strict=True)]
    for thread in threads:
        thread.start()
    ready()
    go.set()
    nap_in_main(naps_in_main)
    for thread in threads:
        thread.join()
    finished(waited_ns=json.loads(os.read(result, 100)))
