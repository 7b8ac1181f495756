# SPDX-License-Identifier: Apache-2.0
"""The service that is called."""

import os
from concurrent.futures import ThreadPoolExecutor

import grpc


def update(request, context):
    return b"updated"


server = grpc.server(ThreadPoolExecutor(8))
handlers = {"Update": grpc.unary_unary_rpc_method_handler(update)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Award", handlers),))
server.add_insecure_port(f"127.0.50.1:{int(os.environ['PORT']) + 1}")
server.start()
server.wait_for_termination()
