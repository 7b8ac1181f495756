# SPDX-License-Identifier: Apache-2.0
import os

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

WORKER = {"worker": str(os.getpid())}


async def score(request):
    return JSONResponse(sum(i * i for i in range(120_000)), headers=WORKER)  # <- computes


app = Starlette(routes=[Route("/", score)])
