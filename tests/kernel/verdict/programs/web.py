"""Web servers that stand in libraries: web.py MAKE FD [CERTIFICATE]."""

import asyncio
import socket
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.wfile.write(ANSWER)

    def log_message(self, *arguments):
        pass


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(sys.argv[3])
    return made


def serve_threading(listener):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, False)
    server.socket.close()
    server.socket = listener
    server.serve_forever()


def serve_threading_tls(listener):
    serve_threading(context().wrap_socket(listener, server_side=True))


async def serve_in_loop(listener, tls=None):
    async def answer(reader, writer):
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(ANSWER)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, sock=listener, ssl=tls) as server:
        await server.serve_forever()


def serve_asyncio_tls(listener):
    asyncio.run(serve_in_loop(listener, context()))


def serve_executor(listener):
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(4)

    async def answer(reader, writer):
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            await asyncio.get_running_loop().run_in_executor(pool, sum, range(20_000))
            writer.write(ANSWER)
        writer.close()

    async def serve():
        async with await asyncio.start_server(answer, sock=listener) as server:
            await server.serve_forever()

    asyncio.run(serve())


def serve_aiohttp(listener):
    from aiohttp import web

    async def hello(request):
        return web.Response(text="hello\n")

    application = web.Application()
    application.router.add_get("/", hello)
    web.run_app(application, sock=listener, print=None)


def serve_processes(listener):
    import multiprocessing

    pool = multiprocessing.Pool(2)
    listener.settimeout(None)
    while True:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(65536):
                pool.apply(sum, (range(5_000),))
                connection.sendall(ANSWER)


globals()[f"serve_{sys.argv[1]}"](socket.socket(fileno=int(sys.argv[2])))
