# SPDX-License-Identifier: Apache-2.0
import os
import time
from concurrent.futures import ThreadPoolExecutor

import grpc


def say_hello(request, context):
    time.sleep(1)  # <- sleeps
    return b"Hello, " + request


methods = {"SayHello": grpc.unary_unary_rpc_method_handler(say_hello)}
server = grpc.server(ThreadPoolExecutor(max_workers=10))
handlers = grpc.method_handlers_generic_handler("locust.hello.HelloService", methods)
server.add_generic_rpc_handlers((handlers,))
server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
server.start()
server.wait_for_termination()
