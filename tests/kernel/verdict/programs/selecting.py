"""A selector echo server with one defect: sys.argv[3]. Fixed: without it."""

import selectors
import socket
import sys

from common import WRONG, listen, ready

DEFECT = sys.argv[3]
IDLE = 400
HIGH = 1010

listener = listen()
idle = [socket.socketpair() for _ in range(IDLE)] if DEFECT == "many" else []
kept = []
select_call = DEFECT in ("many", "limit") and WRONG
selector = selectors.SelectSelector() if select_call else selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
for pair in idle:
    selector.register(pair[0], selectors.EVENT_READ)
ready(listener)


def accept():
    connection, _ = listener.accept()
    events = selectors.EVENT_READ
    if DEFECT == "limit":
        import os
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
        os.dup2(connection.fileno(), HIGH)
        kept.append(connection)
        connection = socket.socket(fileno=HIGH)
    if DEFECT == "spin" and WRONG:
        events |= selectors.EVENT_WRITE  # it is always writable
    connection.setblocking(False)
    selector.register(connection, events)


while True:
    for key, mask in selector.select():
        if key.fileobj is listener:
            accept()
        elif mask & selectors.EVENT_READ:
            data = key.fileobj.recv(65536)
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                continue
            key.fileobj.sendall(data)
