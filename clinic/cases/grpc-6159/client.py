# SPDX-License-Identifier: Apache-2.0
import os

import grpc

channel = grpc.insecure_channel("127.0.0.1:" + os.environ["PORT"])
touch = channel.unary_unary("/demo.Demo/Touch")
while True:
    touch(b"")
