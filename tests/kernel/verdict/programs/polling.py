"""IO101, IO102: asks its sockets again and again, at once or after a sleep; fixed: select."""

import selectors
import sys
import time

from common import WRONG, listen, ready

SLEEP_S = float(sys.argv[2])
listener = listen()
listener.setblocking(False)
connections = []
ready(listener)


def accept():
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return
    connection.setblocking(False)
    connections.append(connection)
    if not WRONG:
        selector.register(connection, selectors.EVENT_READ)


def echo(connection):
    try:
        data = connection.recv(65536)
    except BlockingIOError:
        return
    if data:
        connection.sendall(data)
        return
    connections.remove(connection)
    if not WRONG:
        selector.unregister(connection)
    connection.close()


if WRONG:
    while True:
        accept()
        for connection in list(connections):
            echo(connection)
        if SLEEP_S:
            time.sleep(SLEEP_S)
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        accept() if key.fileobj is listener else echo(key.fileobj)
