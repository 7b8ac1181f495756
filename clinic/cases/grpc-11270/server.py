# SPDX-License-Identifier: Apache-2.0
import os
from concurrent.futures import ThreadPoolExecutor

import grpc


def echo(request, context):
    return request


server = grpc.server(ThreadPoolExecutor(max_workers=32))
methods = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("clinic.Echo", methods),))
server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
server.start()
server.wait_for_termination()
