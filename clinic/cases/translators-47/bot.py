# SPDX-License-Identifier: Apache-2.0
import os

import redis
import requests

queue = redis.Redis(port=int(os.environ["DB"]))
URL = f"http://127.0.72.1:{int(os.environ['PORT']) + 2}/translate"
session = requests.Session()


def translate(text: str) -> str:
    answer = session.post(URL, json=[{"text": text}])  # <- asks
    return answer.json()[0]["translations"][0]["text"]


while True:
    _, message = queue.blpop("messages")
    queue.rpush("answers", translate(message.decode()))
