# SPDX-License-Identifier: Apache-2.0
import os
import time

import grpc

channel = grpc.insecure_channel(f"127.0.31.1:{int(os.environ['PORT']) + 1}")
get_stock = channel.unary_unary("/shop.Stock/Get")
while True:
    print(get_stock(b"", wait_for_ready=True), flush=True)  # <- calls
    time.sleep(1)
