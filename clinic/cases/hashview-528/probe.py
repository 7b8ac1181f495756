# SPDX-License-Identifier: Apache-2.0
import os
import socket
import time

there = ("127.0.0.1", int(os.environ["PORT"]))
probe = socket.create_connection(there, source_address=("127.0.66.6", 0))
time.sleep(600)
