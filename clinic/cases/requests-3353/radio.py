# SPDX-License-Identifier: Apache-2.0
"""A radio station: sound, without end, at the speed at which it is listened to."""

import os
import socket
import time

listener = socket.create_server(("127.0.42.1", int(os.environ["PORT"])))
while True:
    listener_socket = listener.accept()[0]
    listener_socket.recv(4096)
    listener_socket.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n")
    while True:
        listener_socket.sendall(os.urandom(1600))
        time.sleep(0.1)
