"""full_output.py DIRECTORY: one thread opens a file again and again, one writes to stderr."""

import json
import os
import sys
import threading


def opens() -> None:
    while True:
        os.close(os.open(f"{sys.argv[1]}/sample", os.O_RDONLY))


def writes() -> None:
    while True:
        os.write(2, b"x" * 4096)


threading.Thread(target=opens, daemon=True).start()
print(json.dumps({"pid": os.getpid()}), flush=True)
writes()
