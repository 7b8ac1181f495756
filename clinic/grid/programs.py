# SPDX-License-Identifier: Apache-2.0
"""What kinds of programs a fault can be in; each calls ``job.job()`` for a request, message, turn.

``style``: "process" (one at a time), "threads", or "async", where ``job`` is a coroutine function.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """``text``: of app.py; ``start``: shell that starts it and sets SERVER; ``load``: clients."""

    name: str
    style: str
    text: str
    start: str
    load: int = 6


_FLASK = """
from flask import Flask
import job
app = Flask(__name__)

@app.get("/")
def index():
    return job.job()
"""
_FASTAPI = """
from fastapi import FastAPI
import job
app = FastAPI()

@app.get("/")
{}def index():
    return {}job.job()
"""
_DJANGO = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
import job

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of no use")

def index(request):
    return HttpResponse(job.job())

urlpatterns = [path("", index)]
app = get_wsgi_application()
"""
_AIOHTTP = """
import os
from aiohttp import web
import job

async def index(request):
    return web.Response(text=await job.job())

app = web.Application()
app.router.add_get("/", index)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
"""
_TORNADO = """
import asyncio, os
from tornado.web import Application, RequestHandler
import job

class Index(RequestHandler):
    async def get(self):
        self.finish(await job.job())

async def main():
    Application([("/", Index)]).listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()

asyncio.run(main())
"""
_HTTP_SERVER = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import job

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = job.job().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
_CELERY = """
import os
from celery import Celery
import job

app = Celery("app", broker=f"redis://127.0.0.1:{int(os.environ['PORT']) + 2}/0")

@app.task
def order():
    job.job()

if __name__ == "__main__":
    import time, redis
    queue = redis.Redis(port=int(os.environ["PORT"]) + 2)
    while True:
        if queue.llen("celery") < 20:
            order.delay()
        time.sleep(0.01)
"""
_RQ = """
import os, time, redis
from rq import Queue
queue = Queue(connection=redis.Redis(port=int(os.environ["PORT"]) + 2))
while True:
    if len(queue) < 20:
        queue.enqueue("job.job")
    time.sleep(0.02)
"""
_QUEUE = """
import queue, threading, time
import job
orders = queue.Queue(20)

def consume():
    while True:
        orders.get()
        job.job()
        orders.task_done()

for _ in range(4):
    threading.Thread(target=consume).start()
while True:
    orders.put("order")
"""
_CONSUMER = """
import asyncio
import job

async def consume(orders):
    while True:
        await orders.get()
        await job.job()

async def main():
    orders = asyncio.Queue(20)
    consumers = [asyncio.create_task(consume(orders)) for _ in range(4)]
    while True:
        await orders.put("order")

asyncio.run(main())
"""
_SCRIPT = """
import time
import job

while True:
    job.job()
    time.sleep(0.01)
"""
_GUNICORN = "$PY -m gunicorn {} -b 127.0.0.1:$PORT app:app &\nSERVER=$!"
_UVICORN = "$PY -m uvicorn --no-access-log --port $PORT app:app &\nSERVER=$!"
_PLAIN = "$PY app.py &\nSERVER=$!"
_REDIS = ". ./services.sh\nredis $((PORT + 2))\n$PY {} &\n"

PROGRAMS = (
    Program("flask-sync", "process", _FLASK, _GUNICORN.format("-w 2")),
    Program("flask-gthread", "threads", _FLASK, _GUNICORN.format("-w 1 --threads 4")),
    Program("fastapi-async", "async", _FASTAPI.format("async ", "await "), _UVICORN),
    Program("fastapi-def", "threads", _FASTAPI.format("", ""), _UVICORN, load=12),
    Program("django-sync", "process", _DJANGO, _GUNICORN.format("-w 2")),
    Program("aiohttp", "async", _AIOHTTP, _PLAIN),
    Program("tornado", "async", _TORNADO, _PLAIN),
    Program("http-server", "threads", _HTTP_SERVER, _PLAIN),
    Program("waitress", "threads", _FLASK, "$PY -m waitress --port=$PORT app:app &\nSERVER=$!"),
    Program("gevent", "threads", _FLASK, _GUNICORN.format("-k gevent -w 1")),
    Program(
        "celery",
        "process",
        _CELERY,
        f"{_REDIS.format('app.py')}$PY -m celery -A app worker -c 2 -l INFO --without-gossip "
        '--without-mingle &\nSERVER=$!\nuntil_true grep -q " ready" output.log',
        load=0,
    ),
    Program(
        "rq",
        "process",
        _RQ,
        f"{_REDIS.format('app.py')}$PY -m rq.cli worker --url redis://127.0.0.1:$((PORT + 2)) "
        "--path . &\nSERVER=$!\nsleep 1",
        load=0,
    ),
    Program("queue-threads", "threads", _QUEUE, _PLAIN, load=0),
    Program("asyncio-consumer", "async", _CONSUMER, _PLAIN, load=0),
    Program("script", "process", _SCRIPT, _PLAIN, load=0),
)
