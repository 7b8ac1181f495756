# SPDX-License-Identifier: Apache-2.0
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind((sys.argv[1], 4141))
client.sendto(b"hello", ("127.0.0.1", int(sys.argv[2])))
client.recv(100)
