# SPDX-License-Identifier: Apache-2.0
import os
import socket
import time

with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as connection:
    while True:
        connection.sendall(b"root\r\n")
        connection.recv(100)
        time.sleep(0.1)
