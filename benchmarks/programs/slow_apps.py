# SPDX-License-Identifier: Apache-2.0
"""Servers that answer /MICROSECONDS after that time: slow_apps.py MAKE PORT, or wsgi, asgi."""

import asyncio
import re
import socket
import sys
import threading
import time

BODY = b"hello\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
THREADS = 8


def seconds(path):
    found = re.search(r"\d+", path)
    return int(found[0]) / 1e6 if found else 0


def wsgi(environ, start_response):
    time.sleep(seconds(environ["PATH_INFO"]))
    start_response("200 OK", list(HEADERS))
    return [BODY]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    await asyncio.sleep(seconds(scope["path"]))
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def serve_threads(port):
    """A thread for each connection."""

    def serve(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while request := connection.recv(4096):
                time.sleep(seconds(request.split(b" ", 2)[1].decode()))
                connection.sendall(ANSWER)

    with socket.create_server(("127.0.0.1", port), backlog=64) as listener:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def serve_waitress(port):
    import waitress

    waitress.serve(wsgi, listen=f"127.0.0.1:{port}", threads=THREADS)


def serve_cheroot(port):
    from cheroot.wsgi import Server

    Server(("127.0.0.1", port), wsgi, numthreads=THREADS).safe_start()


def serve_aiohttp(port):
    from aiohttp import web

    async def answer(request):
        await asyncio.sleep(seconds(request.path))
        return web.Response(body=BODY)

    app = web.Application()
    app.router.add_get("/{delay}", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def serve_gevent(port):
    from gevent import monkey

    monkey.patch_all()
    from gevent.pywsgi import WSGIServer

    WSGIServer(("127.0.0.1", port), wsgi, log=None).serve_forever()


if __name__ == "__main__":
    globals()[f"serve_{sys.argv[1]}"](int(sys.argv[2]))
