# SPDX-License-Identifier: Apache-2.0
"""clients.py PORT: one client, from 127.0.53.1, registers a function and goes on with other work;
others ask for the list."""

import socket
import sys
import threading
import time

import rpyc
from rpyc.core.stream import SocketStream

PORT = int(sys.argv[1])


def ask():
    while True:
        began = time.monotonic()
        try:
            connection = rpyc.connect("127.0.0.1", PORT)
            connection.root.names()
        except Exception as error:
            print(type(error).__name__)
        print(f"{time.monotonic() - began:.2f} s", flush=True)
        time.sleep(0.2)


own = socket.create_connection(("127.0.0.1", PORT), source_address=("127.0.53.1", 0))
registered = rpyc.connect_stream(SocketStream(own))
registered.root.register("answer", lambda: 42)
with open("registered", "w"):
    pass
for _ in range(3):
    threading.Thread(target=ask).start()
while True:
    time.sleep(1)
