# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import grpc
from google.protobuf import empty_pb2, struct_pb2, wrappers_pb2


async def store(request, context):
    return wrappers_pb2.Int64Value(value=len(request.values))


async def check(request, context):
    return empty_pb2.Empty()


async def main():
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    methods = {
        "Store": grpc.unary_unary_rpc_method_handler(
            store,
            request_deserializer=struct_pb2.ListValue.FromString,
            response_serializer=wrappers_pb2.Int64Value.SerializeToString,
        ),
        "Check": grpc.unary_unary_rpc_method_handler(
            check,
            request_deserializer=empty_pb2.Empty.FromString,
            response_serializer=empty_pb2.Empty.SerializeToString,
        ),
    }
    handler = grpc.method_handlers_generic_handler("series.Series", methods)
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
    await server.start()
    await server.wait_for_termination()


asyncio.run(main())
