import os
import queue
from concurrent.futures import ThreadPoolExecutor

import grpc

news = queue.Queue()


def subscribe(request, context):
    while True:
        yield news.get()  # <- cause


def check(request, context):
    return b"SERVING"


server = grpc.server(ThreadPoolExecutor(max_workers=4))
methods = {
    "Subscribe": grpc.unary_stream_rpc_method_handler(subscribe),
    "Check": grpc.unary_unary_rpc_method_handler(check),
}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("clinic.News", methods),))
server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
server.start()
server.wait_for_termination()
