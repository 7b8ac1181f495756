# SPDX-License-Identifier: Apache-2.0
"""A name server inside of a company: says nothing where a name is not of its own."""

import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1] + ".77", 53))
while True:
    server.recvfrom(512)
