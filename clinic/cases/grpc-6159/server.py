# SPDX-License-Identifier: Apache-2.0
import os
from concurrent.futures import ThreadPoolExecutor

import grpc


def touch(request, context):
    return b"OK"


methods = {"Touch": grpc.unary_unary_rpc_method_handler(touch)}
server = grpc.server(ThreadPoolExecutor(max_workers=10))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("demo.Demo", methods),))
server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
server.start()
server.wait_for_termination()
