# SPDX-License-Identifier: Apache-2.0
"""Reads a disk block by block and stores what has changed; tells of each block on stderr."""

import logging
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path

BLOCK = 65536
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(levelname)8s: %(message)s")
log = logging.getLogger()


def stored(number, data):
    name = blake2b(data, digest_size=20).hexdigest()
    (Path("store") / name).write_bytes(data)
    return number, name


def backup(source):
    database = sqlite3.connect("versions.sqlite")
    database.execute("create table if not exists blocks (number integer, name text)")
    Path("store").mkdir()
    with ThreadPoolExecutor(4) as pool, open(source, "rb") as disk:
        number = 0
        while True:
            jobs = []
            for number in range(number, number + 16):
                disk.seek(number % 256 * BLOCK)
                log.debug("Queued block %d for read (checking for changes)", number)  # <- tells
                jobs.append(pool.submit(stored, number, disk.read(BLOCK)))
            number += 1
            for job in jobs:
                database.execute("insert into blocks values (?, ?)", job.result())


backup("disk.img")
