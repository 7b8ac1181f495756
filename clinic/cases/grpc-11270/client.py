# SPDX-License-Identifier: Apache-2.0
import os
import threading

import grpc

channel = grpc.insecure_channel("127.0.0.1:" + os.environ["PORT"])
echo = channel.unary_unary("/clinic.Echo/Echo")


def send():
    while True:
        echo(b"hello")


for _ in range(16):
    threading.Thread(target=send).start()
