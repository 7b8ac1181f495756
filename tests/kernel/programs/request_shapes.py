"""Servers of many shapes in one process (and its children): request_shapes.py FILE.

Says {"pid": ..., "ports": {shape: port}}. Each takes 5 ms for an answer that ends in "ok\n"; the
answer of "sendfile" is FILE.
"""

import asyncio
import json
import os
import signal
import socket
import socketserver
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DELAY_S = 0.005
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def listen(reuse_port=False):
    return socket.create_server(("127.0.0.1", 0), backlog=64, reuse_port=reuse_port)


def in_thread(work, *arguments):
    threading.Thread(target=work, args=arguments, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(DELAY_S)
        self.wfile.write(ANSWER)

    def log_message(self, *arguments):
        pass


class ForkingServer(socketserver.ForkingMixIn, socketserver.TCPServer):
    pass


def serve_http(server):
    in_thread(server.serve_forever)
    return server.server_address[1]


def serve_each(answer, listener=None):
    """One connection after the other; ``answer(connection)`` until it returns False."""
    listener = listener or listen()

    def serve():
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                while answer(connection):
                    pass

    in_thread(serve)
    return listener.getsockname()[1]


def stream(connection):
    if not connection.recv(4096):
        return False
    for piece in (b"o", b"k", b"\n"):
        time.sleep(DELAY_S)
        connection.sendall(piece)
    return True


def send_file(connection):
    if not connection.recv(4096):
        return False
    time.sleep(DELAY_S)
    with Path(sys.argv[1]).open("rb") as file:
        os.sendfile(connection.fileno(), file.fileno(), 0, os.fstat(file.fileno()).st_size)
    return True


def upload(connection):
    body = b""
    while not body.endswith(b"\n"):
        piece = connection.recv(4096)
        if not piece:
            return False
        body += piece
    time.sleep(DELAY_S)
    connection.sendall(b"ok\n")
    return True


def go_on(connection):
    if not connection.recv(4096):
        return False
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return upload(connection)


def serve_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the last one without certificates
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    listener = listen()

    def serve():
        while True:
            with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                while connection.recv(4096):
                    time.sleep(DELAY_S)
                    connection.sendall(b"ok\n")

    in_thread(serve)
    return listener.getsockname()[1]


def serve_asyncio(wait):
    listener = listen()

    async def answer(reader, writer):
        while await reader.readline():
            await wait()
            writer.write(b"ok\n")
        writer.close()

    async def serve():
        async with await asyncio.start_server(answer, sock=listener) as server:
            await server.serve_forever()

    in_thread(asyncio.run, serve())
    return listener.getsockname()[1]


def to_thread():
    return asyncio.to_thread(time.sleep, DELAY_S)


def executor():
    return asyncio.get_running_loop().run_in_executor(None, time.sleep, DELAY_S)


def serve_udp():
    endpoint = socket.socket(type=socket.SOCK_DGRAM)
    endpoint.bind(("127.0.0.1", 0))

    def serve():
        while True:
            _, peer = endpoint.recvfrom(4096)
            time.sleep(DELAY_S)
            endpoint.sendto(b"ok\n", peer)

    in_thread(serve)
    return endpoint.getsockname()[1]


def serve_reuse_port():
    """By two processes: a child, forked before there are threads, and this one."""
    first = listen(reuse_port=True)
    second = socket.socket()
    second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    second.bind(first.getsockname())
    second.listen(64)
    its_end, ours = os.pipe()
    if not os.fork():
        os.close(ours)
        first.close()
        serve_each(upload, second)
        os.read(its_end, 1)  # until the parent has ended
        os._exit(0)
    second.close()
    return serve_each(upload, first)


def main():
    address = "127.0.0.1", 0
    ports = {
        "reuse_port": serve_reuse_port(),
        "threading": serve_http(ThreadingHTTPServer(address, Handler)),
        "fork": serve_http(ForkingServer(address, Handler)),
        "stream": serve_each(stream),
        "sendfile": serve_each(send_file),
        "upload": serve_each(upload),
        "go_on": serve_each(go_on),
        "tls": serve_tls(),
        "to_thread": serve_asyncio(to_thread),
        "executor": serve_asyncio(executor),
        "udp": serve_udp(),
    }
    print(json.dumps({"pid": os.getpid(), "ports": ports}), flush=True)
    signal.pause()


main()
