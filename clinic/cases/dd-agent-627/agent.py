# SPDX-License-Identifier: Apache-2.0
"""An agent that runs its checks one after the other, each 0.5 s."""

import os
import time

from pymongo import MongoClient
from pymongo.server_api import ServerApi

client = MongoClient(os.environ["MONGO"], server_api=ServerApi("1"))


def check_load():
    return os.getloadavg()


def check_mongo():
    return client.admin.command("serverStatus")  # <- asks


rounds = 0
while True:
    check_load()
    if rounds == 3:
        print("check mongo", flush=True)
        check_mongo()
    rounds += 1
    time.sleep(0.5)
