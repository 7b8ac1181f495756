"""HTTP servers of seven makes on an inherited listening socket: http_servers.py MAKE FD."""

import asyncio
import hashlib
import multiprocessing
import os
import select
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.wfile.write(ANSWER)

    def log_message(self, *arguments):
        pass


class PoolHandler(Handler):
    pool = None

    def do_GET(self):
        self.wfile.write(self.pool.apply(bytes, (ANSWER,)))


class ForkingServer(socketserver.ForkingMixIn, socketserver.TCPServer):
    pass


def serve_with(server, listener):
    server.socket.close()
    server.socket = listener
    server.serve_forever()


def serve_threading(listener):
    serve_with(ThreadingHTTPServer(("127.0.0.1", 0), Handler, False), listener)


def serve_pool(listener):
    with multiprocessing.Pool(2) as PoolHandler.pool:
        serve_with(ThreadingHTTPServer(("127.0.0.1", 0), PoolHandler, False), listener)


def serve_fork(listener):
    serve_with(ForkingServer(("127.0.0.1", 0), Handler, False), listener)


def serve_asyncio(listener):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    async def serve():
        async with await asyncio.start_server(answer, sock=listener) as server:
            await server.serve_forever()

    asyncio.run(serve())


def serve_poller(listener):
    """Never sleeps: asks every socket again and again."""
    listener.setblocking(False)
    peers = []
    while True:
        try:
            peers.append(listener.accept()[0])
            peers[-1].setblocking(False)
        except BlockingIOError:
            pass
        for peer in list(peers):
            try:
                if peer.recv(65536):
                    peer.send(ANSWER)
            except BlockingIOError:
                continue
            except OSError:
                pass
            peers.remove(peer)
            peer.close()


def serve_hog(listener):
    """Two threads that hash (outside the GIL) on one CPU; the main thread serves meanwhile."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    block = bytes(1 << 20)

    def compute():
        while True:
            hashlib.sha256(block).digest()

    for _ in range(2):
        threading.Thread(target=compute, daemon=True).start()
    serve_threading(listener)


def serve_idle(listener):
    """Nobody calls; a timer goes off now and then."""
    while True:
        ready, _, _ = select.select([listener], [], [], 0.1)
        if ready:
            peer = listener.accept()[0]
            peer.recv(65536)
            peer.sendall(ANSWER)
            peer.close()


def main():
    make, fd = sys.argv[1:]
    globals()[f"serve_{make}"](socket.socket(fileno=int(fd)))


if __name__ == "__main__":
    main()
