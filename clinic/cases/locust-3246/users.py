# SPDX-License-Identifier: Apache-2.0
"""60 users; each says hello again and again, and prints how long it took."""

import os
import threading
import time

import grpc

channel = grpc.insecure_channel("127.0.0.1:" + os.environ["PORT"])
hello = channel.unary_unary("/locust.hello.HelloService/SayHello")


def user():
    while True:
        asked = time.monotonic()
        hello(b"locust")
        print(f"{time.monotonic() - asked:.1f} s", flush=True)


threads = [threading.Thread(target=user, daemon=True) for _ in range(60)]
for thread in threads:
    thread.start()
threads[0].join()
