"""A way to hang, of hanging.py: a server that does not come to its end."""

import socket
import socketserver
import threading

from common import WRONG


def endless_shutdown(listener):
    """IO193: a client has a connection and says nothing; fixed: the server goes on serving it."""
    listener.close()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(100)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    client = socket.create_connection(server.server_address)
    server.handle_request()
    if not WRONG:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        threading.Event().wait()
    server.server_close()
    client.close()
