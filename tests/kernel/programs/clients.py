"""A client of the service on port argv[2]: what argv[1] says, in its "wrong" or "fixed" form
(argv[3]); a library is in argv[4]."""

import contextlib
import http.client
import socket
import sys
import threading
import time

from gate import finished, ready

WHAT, PORT, WRONG = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "wrong"
FOLDER = "".join(sys.argv[4:])
SECONDS, LONG_S = 1.0, 5.0


def endless():
    """The service sends its answer line by line: until this hangs up, after a while."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    connection.request("GET", "/" if WRONG else "/short")
    ready()
    hang_up = threading.Timer(LONG_S, connection.sock.shutdown, (socket.SHUT_RDWR,))
    hang_up.start()
    with contextlib.suppress(http.client.HTTPException):
        connection.getresponse()
    hang_up.join()


def asks_on():
    """The service has nothing, each time."""
    with socket.create_connection(("127.0.0.1", PORT)) as service:
        ready()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            service.sendall(b"GET work\r\n")
            service.recv(16)
            if not WRONG:
                time.sleep(0.01)


def calls_back():
    """A library calls back for each message of a broker, which ends connections that are not read
    for half a second; the callback asks a service that takes longer."""
    sys.path.insert(0, FOLDER)
    from pika import consumer

    def on_message():
        with socket.create_connection(("127.0.0.2", PORT)) as service:
            service.sendall(b"slow" if WRONG else b"quick")
            service.recv(1)

    ready()
    consumer.start_consuming(PORT, on_message, 3)


def transfers():
    """The service acknowledges each piece of 8 kB after a while; four may be under way."""
    with socket.create_connection(("127.0.0.1", PORT)) as service:
        ready()
        ahead = 0 if WRONG else 3
        for sent in range(100):
            service.sendall(bytes(8_192))
            if sent >= ahead:
                service.recv(1)


{
    "endless": endless,
    "asks on": asks_on,
    "calls back": calls_back,
    "transfers": transfers,
}[WHAT]()
finished()
