# SPDX-License-Identifier: Apache-2.0
"""host.py ADDRESS PORT: an SSH server that runs commands."""

import socket
import subprocess
import sys
import threading

import paramiko


class Host(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, number):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=run, args=(channel, command)).start()
        return True


def run(channel, command):
    output = subprocess.run(command.split(), capture_output=True, check=False)
    channel.sendall(output.stdout)
    channel.send_exit_status(output.returncode)
    channel.close()


key = paramiko.RSAKey.generate(2048)
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
kept = []
while True:
    transport = paramiko.Transport(listener.accept()[0])
    transport.add_server_key(key)
    try:
        transport.start_server(server=Host())
    except (EOFError, paramiko.SSHException):
        continue
    kept.append(transport)
