# SPDX-License-Identifier: Apache-2.0
"""As much of an MQTT broker as a client needs that only connects."""

import os
import socket

listener = socket.create_server(("127.0.114.1", int(os.environ["BUS"])))
while True:
    connection = listener.accept()[0]
    while data := connection.recv(4096):
        if data[0] == 0x10:
            connection.sendall(b"\x20\x02\x00\x00")
        elif data[0] == 0xC0:
            connection.sendall(b"\xd0\x00")
    connection.close()
