"""An echo server beside which other processes work for it: sys.argv[3]. Fixed: they do less."""

import importlib
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from common import WRONG, burn, listen, ready

BETWEEN_S = 0.1
MODULES = (
    "asyncio unittest.mock xmlrpc.server email.mime.multipart http.cookiejar logging.config "
    "sqlite3 xml.dom.minidom xml.sax.handler tarfile zipfile ftplib smtplib imaplib doctest pdb "
    "multiprocessing.managers ctypes.util difflib statistics plistlib mailbox csv configparser "
    "gettext cmd code shelve wave uuid ipaddress secrets getpass netrc pprint timeit trace "
    "http.server webbrowser pydoc cProfile sched symtable tabnanny filecmp fileinput pickletools"
).split()


def serve():
    connections = [listener.accept()[0] for _ in range(2)]
    for connection in connections:
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


def echo(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def import_all():
    for name in MODULES:
        importlib.import_module(name)


def imports():
    """IO175: each process imports what its job needs; fixed: it has it from its parent."""
    if not WRONG:
        import_all()
    while True:
        child = os.fork()
        if not child:
            import_all()
            os._exit(0)
        os.waitpid(child, 0)
        time.sleep(BETWEEN_S)


def pickles():
    """IO176: a large object is an argument of each task; fixed: a small one."""
    table = {str(number): [number, number / 7] for number in range(100_000)}
    with ProcessPoolExecutor(1) as pool:
        while True:
            pool.submit(len, table if WRONG else "table").result()
            time.sleep(0 if WRONG else BETWEEN_S)


def pools():
    """IO203: a pool for each batch; fixed: one for all."""
    kept = None if WRONG else ProcessPoolExecutor(2)
    while True:
        if kept:
            list(kept.map(abs, range(10)))
            time.sleep(BETWEEN_S)
        else:
            with ProcessPoolExecutor(2) as pool:
                list(pool.map(abs, range(10)))


def backlog():
    """IO213: parts are submitted as they come; fixed: no more than keep the workers busy."""
    room = threading.BoundedSemaphore(4)
    with ProcessPoolExecutor(2) as pool:
        while True:
            part = b"." * 1_000_000
            if not WRONG:
                room.acquire()
            future = pool.submit(_slowly, part)
            if not WRONG:
                future.add_done_callback(lambda _: room.release())
            time.sleep(0.01)


def _slowly(part):
    subprocess.run(["sleep", "0.3"], check=True)
    return len(part)


def threads():
    """IO207: a thread for each event, beside one that computes; fixed: one for all of them."""
    if WRONG:
        threading.Thread(target=burn, args=(600,), daemon=True).start()
    kept = ThreadPoolExecutor(1)
    while True:
        if WRONG:
            one = threading.Thread(target=abs, args=(1,))
            one.start()
            one.join()
        else:
            kept.submit(abs, 1).result()
            time.sleep(BETWEEN_S)


listener = listen()
ready(listener)
threading.Thread(target=serve, daemon=True).start()
{"imports": imports, "pickles": pickles, "pools": pools, "backlog": backlog, "threads": threads}[
    sys.argv[3]
]()
