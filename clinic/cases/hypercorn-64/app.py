# SPDX-License-Identifier: Apache-2.0
import asyncio

from quart import Quart, request

app = Quart(__name__)


@app.route("/", methods=["POST", "GET"])
async def queues():
    await request.data
    await asyncio.sleep(0.005)
    return "<ListQueuesResponse/>" * 10
