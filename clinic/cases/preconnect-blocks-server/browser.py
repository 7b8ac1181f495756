# SPDX-License-Identifier: Apache-2.0
import os
import socket
import time

address = ("127.0.0.1", int(os.environ["PORT"]))
tab = socket.create_connection(address, source_address=("127.0.14.1", 0))
time.sleep(600)
