# SPDX-License-Identifier: Apache-2.0
"""Faults of services that the program talks to, and of how it does."""

from __future__ import annotations

from clinic.grid.fault import Fault

_UPSTREAM = "$PY upstream.py 127.0.71.1 $((PORT + 1)) {} &\nup $((PORT + 1)) 127.0.71.1"
_SLOW = _UPSTREAM.format(0.6)
_PEER = r"127\.0\.71\.1"
_URL = "URL = f\"http://127.0.71.1:{int(os.environ['PORT']) + 1}/\""
_ANSWER = ("answer", "upstream", "respon[ds]", "reply")
_POSTGRES = ". ./services.sh\npostgres $((PORT + 1))\n"
_DSN = "DSN = f\"postgresql://postgres@127.0.0.1:{int(os.environ['PORT']) + 1}/postgres\""

ELSEWHERE = (
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
    Fault(
        "redis-lock",
        head="import redis\nDB = redis.Redis(port=int(os.environ['PORT']) + 1)",
        body="with DB.lock('stock', timeout=60):  #\n    return 'ok'",
        start=". ./services.sh\nredis $((PORT + 1))\n"
        "redis-cli -p $((PORT + 1)) set stock other px 600000",
        words=("again and again", "poll", r"\block", "sleep"),
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
        "connect-per-request",
        head=f"import psycopg2\nfrom contextlib import closing\n{_DSN}",
        body="with closing(psycopg2.connect(DSN)) as db, db.cursor() as cursor:  #\n"
        "    cursor.execute('select 1')\nreturn 'ok'",
        start=_POSTGRES,
        peer="127.0.0.1",
        words=(
            "new connection",
            "made anew",
            "connections? (is|are)? ?(made|opened)",
            "connects? ",
            "for each",
        ),
    ),
)
