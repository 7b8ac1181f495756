# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys


def check(host: str) -> bytes:
    command = [sys.executable, "tool.py", host]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
        out = tool.stdout.read()  # <- reads
        return out + tool.stderr.read()


print(len(check("node-1")))
