# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a cell: a function, its marked line, and what must be said of it.

``where``: "any" program; "threads": where several requests share a process's memory; "async":
the function is a coroutine's. In programs of an event loop "any" is a blocking call in a coroutine.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """``head``, ``body``: of the module and of its function; the body's line that ends in "  #" is
    the faulty one (several: any of them). ``start``: shell that sets up what it talks to.
    ``words``: of these regular expressions one must be met. ``quick``: it does not block a loop."""

    name: str
    body: str
    words: tuple[str, ...]
    head: str = ""
    start: str = ""
    peer: str = ""
    where: str = "any"
    quick: bool = False


_UPSTREAM = "$PY upstream.py 127.0.71.1 $((PORT + 1)) {} &\nup $((PORT + 1)) 127.0.71.1"
_SLOW = _UPSTREAM.format(0.6)
_PEER = r"127\.0\.71\.1"
_URL = "URL = f\"http://127.0.71.1:{int(os.environ['PORT']) + 1}/\""
_ANSWER = ("answer", "upstream", "respon[ds]", "reply")
_POSTGRES = ". ./services.sh\npostgres $((PORT + 1))\n"
_DSN = "DSN = f\"postgresql://postgres@127.0.0.1:{int(os.environ['PORT']) + 1}/postgres\""
_POOL = (
    f"import requests\nfrom concurrent.futures import ThreadPoolExecutor\n{_URL}\n"
    "POOL = ThreadPoolExecutor(2)\n\ndef ask():\n    return requests.get(URL).text  # <- here"
)
_CPU = (r"\bCPU\b", "comput")

FAULTS = (
    Fault(
        "requests-slow",
        head=f"import requests\n{_URL}",
        body="return requests.get(URL, timeout=30).text  #",
        start=_SLOW,
        peer=_PEER,
        words=_ANSWER,
    ),
    Fault(
        "urllib-silent",
        head=f"from urllib.request import urlopen\n{_URL}",
        body="return urlopen(URL).read().decode()  #",
        start="$PY silent.py 127.0.71.1 $((PORT + 1)) &\nup $((PORT + 1)) 127.0.71.1",
        peer=_PEER,
        words=("no answer", "never", "not (been )?answer", "not returned", "hang"),
    ),
    Fault(
        "httpx-slow",
        head=f"import httpx\n{_URL}\nCLIENT = httpx.AsyncClient(timeout=30)",
        body="return (await CLIENT.get(URL)).text  #",
        start=_SLOW,
        peer=_PEER,
        where="async",
        words=_ANSWER,
    ),
    Fault(
        "aiohttp-slow",
        head=f"import aiohttp\n{_URL}",
        body="async with aiohttp.ClientSession() as session, session.get(URL) as answer:  #\n"
        "    return await answer.text()  #",
        start=_SLOW,
        peer=_PEER,
        where="async",
        words=_ANSWER,
    ),
    Fault(
        "refused",
        quick=True,
        head=f"import time, requests\n{_URL}",
        body="try:\n    return requests.get(URL).text  #\n"
        "except requests.ConnectionError:\n    return 'sorry'",
        peer=_PEER,
        words=("refus", "ECONNREFUSED"),
    ),
    Fault(
        "full-backlog",
        head="import socket",
        body="with socket.create_connection(('127.0.71.1', int(os.environ['PORT']) + 1), 2.5):  #\n"
        "    return 'ok'",
        start="$PY -c \"import socket, time; s = socket.create_server(('127.0.71.1', $PORT + 1), "
        "backlog=0); k = socket.create_connection(s.getsockname()); open('full', 'w'); "
        'time.sleep(600)" &\nthere full',
        peer=_PEER,
        words=("connect",),
    ),
    Fault(
        "dns-slow",
        head="import socket",
        body="try:\n    socket.getaddrinfo('shop.internal', 80)  #\n"
        "except OSError:\n    pass\nreturn 'ok'",
        start="printf 'nameserver 127.0.71.77\\noptions timeout:1 attempts:1\\n' >resolv.conf\n"
        "$PY -c \"import socket, time; s = socket.socket(2, 2); s.bind(('127.0.71.77', 53)); "
        'time.sleep(600)" &\n'
        "echo 'mount --bind resolv.conf /etc/resolv.conf; exec \"$@\"' >inside.sh\n"
        'PY="unshare -m sh inside.sh $PY"',
        peer=r"127\.0\.71\.77",
        words=(r"\bDNS\b", "name server", "getaddrinfo", "look(s|ed|ing)? up"),
    ),
    Fault(
        "pg-slow-query",
        head=f"import psycopg2\n{_DSN}",
        body="with psycopg2.connect(DSN) as db, db.cursor() as cursor:\n"
        "    cursor.execute('select pg_sleep(0.5)')  #\nreturn 'ok'",
        start=_POSTGRES,
        peer="127.0.0.1",
        words=(*_ANSWER, "quer", "postgres", "database"),
    ),
    Fault(
        "asyncpg-slow-query",
        head=f"import asyncpg\n{_DSN}",
        body="db = await asyncpg.connect(DSN)\ntry:\n"
        "    await db.execute('select pg_sleep(0.5)')  #\nfinally:\n"
        "    await db.close()\nreturn 'ok'",
        start=_POSTGRES,
        peer="127.0.0.1",
        where="async",
        words=(*_ANSWER, "quer", "postgres", "database"),
    ),
    Fault(
        "pool-exhausted",
        head="import sqlalchemy\nfrom sqlalchemy import text\n"
        f"{_DSN}\nENGINE = sqlalchemy.create_engine(DSN, pool_size=1, max_overflow=0)",
        body="with ENGINE.connect() as db:  #\n    db.execute(text('select pg_sleep(0.3)'))  #\n"
        "return 'ok'",
        start=_POSTGRES,
        where="threads",
        words=(r"\bpool", "connection is free", "free connection"),
    ),
    Fault(
        "n-plus-1",
        head=f"import psycopg2, threading\n{_DSN}\nHERE = threading.local()",
        body="if not hasattr(HERE, 'db'):\n    HERE.db = psycopg2.connect(DSN)\n"
        "cursor = HERE.db.cursor()\nfor number in range(400):\n"
        "    cursor.execute('select %s', [number])  #\n    cursor.fetchall()\nreturn 'ok'",
        start=_POSTGRES,
        peer="127.0.0.1",
        words=("round trip", "quer(y|ies)", "one after", "asks? .{0,40}times", "small"),
    ),
    Fault(
        "row-lock",
        head=f"import psycopg2\n{_DSN}",
        body="with psycopg2.connect(DSN) as db, db.cursor() as cursor:\n"
        "    cursor.execute('update stock set n = n + 1')  #\nreturn 'ok'",
        start=f"{_POSTGRES}psql -h 127.0.0.1 -p $((PORT + 1)) -U postgres -c "
        "'create table stock as select 1 as n'\n"
        "(echo 'begin; update stock set n = 2;'; sleep 600) | "
        "psql -h 127.0.0.1 -p $((PORT + 1)) -U postgres &\nsleep 1",
        peer="127.0.0.1",
        words=(*_ANSWER, "lock"),
    ),
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
        "redis-lock",
        head="import redis\nDB = redis.Redis(port=int(os.environ['PORT']) + 1)",
        body="with DB.lock('stock', timeout=60):  #\n    return 'ok'",
        start=". ./services.sh\nredis $((PORT + 1))\n"
        "redis-cli -p $((PORT + 1)) set stock other px 600000",
        words=("again and again", "poll", r"\block", "sleep"),
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
        "fd-leak",
        quick=True,
        head="import socket\nKEPT = []",
        body="there = '127.0.71.1', int(os.environ['PORT']) + 1\n"
        "KEPT.append(socket.create_connection(there))  #\nreturn 'ok'",
        start=_SLOW,
        peer=_PEER,
        words=(
            "leak",
            "never closed",
            "none (is|was|of them)[^\n]{0,20}closed",
            "not closed",
            "open",
        ),
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
    Fault(
        "connect-per-request",
        head=f"import psycopg2\n{_DSN}",
        body="with psycopg2.connect(DSN) as db, db.cursor() as cursor:  #\n"
        "    cursor.execute('select 1')\n    db.close()\nreturn 'ok'",
        start=_POSTGRES,
        peer="127.0.0.1",
        words=("new connection", "connections? (is|are)? ?(made|opened)", "connects? ", "for each"),
    ),
)
