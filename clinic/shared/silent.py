# SPDX-License-Identifier: Apache-2.0
"""silent.py ADDRESS PORT: a server that accepts connections and never answers."""

import socket
import sys

listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=50)
kept = []
while True:
    kept.append(listener.accept()[0])
