# SPDX-License-Identifier: Apache-2.0
from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Route

with open("video.bin", "wb") as video:
    video.truncate(200_000_000)


async def download(request):
    return FileResponse("video.bin")


async def page(request):
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/video", download), Route("/", page)])
