# SPDX-License-Identifier: Apache-2.0
import os
import socket
import time

while True:
    with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as talk:
        talk.sendall(b"list\n")
        print(talk.recv(100), flush=True)
    time.sleep(0.05)
