# SPDX-License-Identifier: Apache-2.0
import subprocess


def run(command: str) -> tuple[bytes, int]:
    process = subprocess.Popen(
        command,
        shell=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    code = process.wait()  # <- waits
    return process.stdout.read(), code
