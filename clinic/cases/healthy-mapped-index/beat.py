# SPDX-License-Identifier: Apache-2.0
"""A client that looks whether the UDP port is alive: it is, and says so."""

import socket
import sys
import time

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.0.1", int(sys.argv[1])))
while True:
    client.send(b"alive?")
    client.recv(100)
    time.sleep(0.05)
