# SPDX-License-Identifier: Apache-2.0
import os

import aiomysql
from sanic import Sanic
from sanic.response import json

app = Sanic("votes")


@app.get("/")
async def index(request):
    pool = await aiomysql.create_pool(  # <- makes
        host="127.0.0.1", port=int(os.environ["DB"]), user="shop", minsize=1, maxsize=5
    )
    app.ctx.pools.append(pool)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute("select 42")
        return json(await cursor.fetchone())


@app.before_server_start
async def setup(app):
    app.ctx.pools = []


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]), single_process=True, access_log=False)
