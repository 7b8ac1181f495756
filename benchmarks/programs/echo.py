# SPDX-License-Identifier: Apache-2.0
"""An event loop on epoll that echoes: echo.py COUNTER LISTENER"""

import select
import socket
import sys

from counting import finish, open_counter


def main():
    counter = open_counter(sys.argv[1])
    listener = socket.socket(fileno=int(sys.argv[2]))
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    connections = {}
    wanted = counter[1]
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setblocking(False)
                connections[connection.fileno()] = connection
                epoll.register(connection, select.EPOLLIN)
                continue
            data = connections[fd].recv(64)
            if not data:
                return
            connections[fd].send(data)
            counter[0] += 1
            if wanted and counter[0] == wanted:
                finish(counter)


main()
