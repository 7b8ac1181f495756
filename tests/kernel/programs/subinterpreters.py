"""Two subinterpreters, each with a GIL of its own, in threads of their own: 3.12 and later.

One takes naps, and so does the main interpreter. The other reads what is there already, while a
second thread of it computes: each read takes what its GIL takes. The main GIL is free.
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


def read(times, source, told):
    """Reads under a GIL that another thread wants; tells how long it took."""
    done = []

    def spin():
        while not done:
            sum(range(1000))

    spinner = threading.Thread(target=spin)
    spinner.start()
    waited_ns = 0
    for _ in range(times):
        before = time.perf_counter_ns()
        os.read(source, 1)
        waited_ns += time.perf_counter_ns() - before
    done.append(True)
    spinner.join()
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
    os.write(fill, b"x" * reads)
    start = f"import sys; sys.path[:0] = [{sys.path[0]!r}]; import subinterpreters; "
    work = [f"subinterpreters.nap({naps})", f"subinterpreters.read({reads}, {source}, {told})"]
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
