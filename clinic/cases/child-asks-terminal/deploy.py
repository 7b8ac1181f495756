# SPDX-License-Identifier: Apache-2.0
import subprocess
import time


def install(name: str) -> None:
    subprocess.run(["cp", "-i", name, "releases/"], check=True, capture_output=True)  # <- runs


while True:
    install("site.conf")
    print("installed", flush=True)
    time.sleep(1)
