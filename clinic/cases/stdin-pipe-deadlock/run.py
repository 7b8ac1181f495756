# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys


def feed(data: bytes) -> bytes:
    command = [sys.executable, "tool.py"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tool:
        tool.stdin.write(data)  # <- writes
        tool.stdin.close()
        return tool.stdout.read()


print(len(feed(b"a line of the inventory\n" * 50_000)))
