import asyncio
import os

import grpc


async def subscribe(request, context):
    while True:
        await asyncio.sleep(3)
        yield b"news"


async def check(request, context):
    return b"SERVING"


async def main():
    server = grpc.aio.server()
    methods = {
        "Subscribe": grpc.unary_stream_rpc_method_handler(subscribe),
        "Check": grpc.unary_unary_rpc_method_handler(check),
    }
    handler = grpc.method_handlers_generic_handler("clinic.News", methods)
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
    await server.start()
    await server.wait_for_termination()


asyncio.run(main())
