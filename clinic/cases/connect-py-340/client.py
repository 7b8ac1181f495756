# SPDX-License-Identifier: Apache-2.0
import os
import socket

told = socket.socket()
told.bind(("127.0.18.1", 0))
told.connect(("127.0.0.1", int(os.environ["PORT"])))
told.sendall(b"POST /say HTTP/1.1\r\nHost: say\r\n\r\n")
print(told.recv(4096))
