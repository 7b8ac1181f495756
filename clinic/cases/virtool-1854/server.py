# SPDX-License-Identifier: Apache-2.0
import os
import uuid

from aiohttp import web


async def upload(req):
    reader = await req.multipart()
    file = await reader.next()
    path = os.path.join("files", uuid.uuid4().hex)
    size = 0
    with open(path, "wb") as handle:
        while True:
            chunk = await file.read_chunk()
            if not chunk:
                break
            size += len(chunk)
            handle.write(chunk)  # <- writes
    return web.json_response({"size": size}, status=201)


async def index(req):
    return web.Response(text="ok")


app = web.Application(client_max_size=1 << 30)
app.add_routes([web.post("/upload/reads", upload), web.get("/", index)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
