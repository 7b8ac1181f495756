# SPDX-License-Identifier: Apache-2.0
"""browser.py ADDRESS: starts a report, and looks every two seconds how far it is: over one
connection, or a new one where the server has closed it."""

import os
import socket
import sys
import time


def connected():
    server = ("127.0.0.1", int(os.environ["PORT"]))
    return socket.create_connection(server, source_address=(sys.argv[1], 0))


def asks(connection, what):
    connection.sendall(f"{what} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    return connection.recv(4096)


page = connected()
asks(page, "POST /start")
while True:
    time.sleep(2)
    open("asked", "w").close()
    if not asks(page, "GET /status"):
        page = connected()
        asks(page, "GET /status")
