# SPDX-License-Identifier: Apache-2.0
import socket
import sys
import time

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.0.1", int(sys.argv[1])))
while True:
    for n in range(40):
        client.send(b"requests_%d:1" % (n % 5))
    time.sleep(0.2)
