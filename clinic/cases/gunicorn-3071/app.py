# SPDX-License-Identifier: Apache-2.0
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def score(request):
    return JSONResponse(sum(i * i for i in range(60_000)))  # <- computes


app = Starlette(routes=[Route("/", score)])
