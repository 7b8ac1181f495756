# SPDX-License-Identifier: Apache-2.0
import os
import time

import paramiko

client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
client.connect("127.0.73.1", int(os.environ["PORT"]), "root", "secret")


def run(command: str) -> bytes:
    channel = client.get_transport().open_session()
    channel.exec_command(command)
    if status := channel.recv_exit_status():  # <- waits
        raise RuntimeError(f"{command}: {status}")
    return channel.makefile().read()


while True:
    for size in (1000, 3500, 500_000):
        print(size, len(run(f"seq {size}")), flush=True)
    time.sleep(1)
