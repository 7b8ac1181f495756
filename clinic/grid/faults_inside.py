# SPDX-License-Identifier: Apache-2.0
"""Faults of the program itself: sleeps, CPU time, locks, children, files."""

from __future__ import annotations

from clinic.grid.fault import Fault

_UPSTREAM = "$PY upstream.py 127.0.71.1 $((PORT + 1)) {} &\nup $((PORT + 1)) 127.0.71.1"
_SLOW = _UPSTREAM.format(0.6)
_URL = "URL = f\"http://127.0.71.1:{int(os.environ['PORT']) + 1}/\""
_POOL = (
    f"import requests\nfrom concurrent.futures import ThreadPoolExecutor\n{_URL}\n"
    "POOL = ThreadPoolExecutor(2)\n\ndef ask():\n    return requests.get(URL).text  # <- here"
)
_CPU = (r"\bCPU\b", "comput")

INSIDE = (
    Fault("sleep", head="import time", body="time.sleep(0.4)  #\nreturn 'ok'", words=("sleep",)),
    Fault(
        "cpu",
        body="total = 0\nfor number in range(1_500_000):  #\n    total += number * number  #\n"
        "return str(total)",
        words=_CPU,
    ),
    Fault(
        "c-cpu",
        head="import json\n"
        "TEXT = json.dumps([{'id': n, 'tags': ['a'] * 8} for n in range(60_000)])",
        body="return str(len(json.loads(TEXT)))  #",
        words=(*_CPU, r"\bGIL\b"),
    ),
    Fault(
        "gil-contention",
        quick=True,
        head="import threading\n\ndef spin():\n    n = 0\n    while True:\n"
        "        n += 1  # <- here\n\nfor _ in range(3):\n"
        "    threading.Thread(target=spin, daemon=True).start()",
        body="return str(sum(range(200)))",
        words=(*_CPU, r"\bGIL\b"),
    ),
    Fault(
        "lock-held",
        head=f"import threading, requests\n{_URL}\nLOCK = threading.Lock()",
        body="with LOCK:  #\n    return requests.get(URL).text  #",
        start=_UPSTREAM.format(0.2),
        where="threads",
        words=(r"\block",),
    ),
    Fault(
        "async-lock-held",
        head=f"import asyncio, httpx\n{_URL}\nLOCK = asyncio.Lock()\nCLIENT = httpx.AsyncClient()",
        body="async with LOCK:  #\n    return (await CLIENT.get(URL)).text  #",
        start=_UPSTREAM.format(0.2),
        where="async",
        words=(r"\block", "one after"),
    ),
    Fault(
        "flock",
        head="import fcntl",
        body="with open('index.lock', 'w') as lock:\n    fcntl.flock(lock, fcntl.LOCK_EX)  #\n"
        "return 'ok'",
        start="$PY -c \"import fcntl, time; f = open('index.lock', 'w')\nwhile True:\n"
        ' fcntl.flock(f, 2); time.sleep(1); fcntl.flock(f, 8); time.sleep(0.01)" &',
        words=(r"\block",),
    ),
    Fault(
        "deadlock",
        head="import threading, time, itertools\nONE, TWO = threading.Lock(), threading.Lock()\n"
        "TURN = itertools.count()",
        body="first, second = (ONE, TWO) if next(TURN) % 2 else (TWO, ONE)\n"
        "with first:  #\n    time.sleep(0.05)\n    with second:  #\n        return 'ok'",
        where="threads",
        words=("deadlock", "each other", r"\block"),
    ),
    Fault(
        "future-never",
        head="import asyncio",
        body="await asyncio.get_running_loop().create_future()  #\nreturn 'ok'",
        where="async",
        words=("never", "nothing", "not (been )?(done|set|answered)", "wait"),
    ),
    Fault(
        "executor-full",
        head=_POOL,
        body="return POOL.submit(ask).result()  #",
        start=_SLOW,
        where="threads",
        words=(r"\bpool", "executor", "threads? (is|are) (busy|free)", "all .{0,30}threads"),
    ),
    Fault(
        "async-executor-full",
        head="import asyncio\n" + _POOL,
        body="return await asyncio.get_running_loop().run_in_executor(POOL, ask)  #",
        start=_SLOW,
        where="async",
        words=(r"\bpool", "executor", "threads? (is|are) (busy|free)", "all .{0,30}threads"),
    ),
    Fault(
        "subprocess-slow",
        head="import subprocess",
        body="subprocess.run(['sleep', '0.5'])  #\nreturn 'ok'",
        words=("child", "process", "program", "command"),
    ),
    Fault(
        "subprocess-pipe",
        head="import subprocess",
        body="child = subprocess.Popen(['seq', '200000'], stdout=subprocess.PIPE)\n"
        "child.wait()  #\nreturn child.stdout.read().decode()[-5:]",
        words=(r"\bpipe\b[^\n]*(full|read)", "full[^\n]*pipe", "deadlock", "does not read"),
    ),
    Fault(
        "log-pipe",
        head="import logging\nlogging.basicConfig(filename='log.pipe', level=logging.INFO)",
        body="for number in range(20):\n"
        "    logging.getLogger('app').info('order %d %s', number, 'x' * 900)  #\nreturn 'ok'",
        start="mkfifo log.pipe\n$PY -c \"import time; f = open('log.pipe', 'rb', 0)\nwhile True:\n"
        ' f.read(9000); time.sleep(0.5)" &',
        words=("pipe", "reader", "not read"),
    ),
    Fault(
        "fsync",
        head="import uuid",
        body="for number in range(20):\n    with open(f'{uuid.uuid4()}.row', 'w') as row:\n"
        "        row.write('x' * 4000)\n        row.flush()\n        os.fsync(row.fileno())  #\n"
        "    os.unlink(row.name)\nreturn 'ok'",
        words=("fsync", r"\bdisk", r"\bsync"),
    ),
    Fault(
        "gc",
        head="import gc\nHEAP = [[n] for n in range(1_500_000)]",
        body="gc.collect()  #\nreturn 'ok'",
        words=("garbage", r"\bgc\b", "collect"),
    ),
    Fault(
        "emfile",
        quick=True,
        head="import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (90, 90))\nKEPT = []",
        body="try:\n    KEPT.append(open('prices.txt', 'a'))  #\nexcept OSError:\n    pass\n"
        "return 'ok'",
        words=("EMFILE", "too many open", "limit"),
    ),
    Fault(
        "busy-poll",
        head="import time",
        body="end = time.monotonic() + 0.6\nwhile time.monotonic() < end:\n"
        "    time.sleep(0.0005)  #\nreturn 'ok'",
        words=("again and again", "poll", "times a second", "sleep"),
    ),
    Fault(
        "slow-import",
        head="import sys",
        body="for name in [one for one in sys.modules if one.startswith('email')]:\n"
        "    del sys.modules[name]\nimport email.mime.text  #\nimport email.policy  #\nreturn 'ok'",
        words=("import", "loads? (a )?module"),
    ),
)
