# SPDX-License-Identifier: Apache-2.0
import os

import requests
from arq.connections import RedisSettings

PORT = int(os.environ["PORT"])


async def fetch_invoice(context: dict, number: int) -> int:
    answer = requests.get(f"http://127.0.26.1:{PORT + 2}/{number}", timeout=5)  # <- blocks
    return len(answer.text)


async def ping(context: dict) -> str:
    return "pong"


class Settings:
    functions = [fetch_invoice, ping]
    redis_settings = RedisSettings(port=PORT + 1)
