"""4 subscribers, then health checks."""

import os
import threading
import time

import grpc

channel = grpc.insecure_channel("127.0.0.1:" + os.environ["PORT"])
grpc.channel_ready_future(channel).result()
subscribe = channel.unary_stream("/clinic.News/Subscribe")
check = channel.unary_unary("/clinic.News/Check")


def subscriber():
    for _ in subscribe(b"all"):
        pass


for _ in range(4):
    threading.Thread(target=subscriber, daemon=True).start()
time.sleep(1)
open("ready", "w").close()
while True:
    try:
        check(b"", timeout=2)
    except grpc.RpcError:
        pass
