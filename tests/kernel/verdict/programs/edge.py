"""IO107: edge-triggered, reads half a message after each edge; fixed: until there is no more."""

import select

from common import MESSAGE_BYTES, WRONG, listen, ready

listener = listen()
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener, select.EPOLLIN | select.EPOLLET)
connections = {}
ready(listener)


def accept():
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        connections[connection.fileno()] = connection
        epoll.register(connection, select.EPOLLIN | select.EPOLLET)


while True:
    for fd, _ in epoll.poll():
        if fd == listener.fileno():
            accept()
            continue
        connection = connections[fd]
        data = b"there may be more"
        try:
            data = connection.recv(MESSAGE_BYTES // 2)
            while data:
                connection.sendall(data)
                if WRONG:
                    break
                data = connection.recv(65536)
        except BlockingIOError:
            pass
        except ConnectionError:
            data = b""
        if not data:
            epoll.unregister(fd)
            connections.pop(fd).close()
