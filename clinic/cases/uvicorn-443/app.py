# SPDX-License-Identifier: Apache-2.0
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

app = Starlette()


@app.route("/", methods=["POST"])
async def store(request):
    body = await request.body()  # <- reads
    return PlainTextResponse(str(len(body)))


@app.route("/health")
async def health(request):
    return PlainTextResponse("ok")
