# SPDX-License-Identifier: Apache-2.0
from gevent import monkey

monkey.patch_all()

import os

import gevent
import redis
from gevent.pool import Group
from gevent.queue import JoinableQueue

tasks = JoinableQueue()
crawlers = Group()


def crawler() -> None:
    while True:  # <- spins
        if not tasks.empty():  # <- spins
            print(tasks.get(), flush=True)
            gevent.sleep()


print("starting", flush=True)
crawlers.spawn(crawler)
client = redis.Redis(host="127.0.0.1", port=int(os.environ["DB"]))
while True:
    tasks.put(client.lpop("pages"))
