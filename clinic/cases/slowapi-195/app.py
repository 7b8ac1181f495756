# SPDX-License-Identifier: Apache-2.0
from fastapi import FastAPI
from slowapi import Limiter
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address

app = FastAPI()
app.state.limiter = Limiter(key_func=get_remote_address, default_limits=["1000000/minute"])
app.add_middleware(SlowAPIMiddleware)


@app.get("/")
async def index():
    return {"ok": True}
