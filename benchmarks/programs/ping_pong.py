# SPDX-License-Identifier: Apache-2.0
"""A blocking server of one connection: recv, send, and again. ping_pong.py COUNTER LISTENER"""

import socket
import sys

from counting import finish, open_counter


def main():
    counter = open_counter(sys.argv[1])
    listener = socket.socket(fileno=int(sys.argv[2]))
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wanted = counter[1]
    while True:
        connection.send(connection.recv(64))
        counter[0] += 1
        if wanted and counter[0] == wanted:
            finish(counter)


main()
