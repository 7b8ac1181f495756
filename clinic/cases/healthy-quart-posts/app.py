# SPDX-License-Identifier: Apache-2.0
from quart import Quart, request

app = Quart(__name__)


@app.route("/", methods=["POST"])
async def hello():
    return await request.get_data()
