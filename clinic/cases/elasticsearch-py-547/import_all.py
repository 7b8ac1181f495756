# SPDX-License-Identifier: Apache-2.0
import os

from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk

client = Elasticsearch([{"host": "127.0.88.2", "port": int(os.environ["WEB"])}], timeout=30)


def documents():
    for number in range(10_000_000):
        text = f"document {number} " * 60  # <- makes
        yield {"_index": "papers", "_type": "paper", "_id": number, "text": text}


for done, (ok, _) in enumerate(parallel_bulk(client, documents(), thread_count=4)):  # <- makes
    if done % 1000 == 0:
        print(done, ok, flush=True)
