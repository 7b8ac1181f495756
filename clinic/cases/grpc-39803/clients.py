# SPDX-License-Identifier: Apache-2.0
"""Two clients that send 16 MB at a time, and a health check."""

import os
import threading
import time

import grpc
from google.protobuf import struct_pb2

channel = grpc.insecure_channel("127.0.0.1:" + os.environ["PORT"])
store = channel.unary_unary("/series.Series/Store")
check = channel.unary_unary("/series.Series/Check")
number = struct_pb2.ListValue(values=[struct_pb2.Value(number_value=1.5)]).SerializeToString()
LARGE = number * 1_500_000


def sender():
    while True:
        store(LARGE)


for _ in range(2):
    threading.Thread(target=sender).start()
while True:
    check(b"")
    time.sleep(0.05)
