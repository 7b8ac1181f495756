# SPDX-License-Identifier: Apache-2.0
import logging
import os
import struct
import sys

console = logging.StreamHandler(sys.stdout)
console.setLevel(logging.INFO)
logging.basicConfig(
    level=logging.DEBUG,
    format="%(asctime)s %(levelname)s %(name)s %(message)s",
    handlers=[
        logging.FileHandler("scanlog.txt"),
        logging.FileHandler("scanlogverbose.txt"),
        console,
    ],
)
log = logging.getLogger("gettags")


def tags(path):
    with open(path, "rb") as file:
        data = file.read()
    position = 10
    while position < len(data):
        name, size = struct.unpack_from(">4sI", data, position)
        yield name, data[position + 8 : position + 8 + size]
        position += 8 + size


def scan(directory):
    found = 0
    for name in os.listdir(directory):
        log.info("scanning %s", name)  # <- logs
        for tag, value in tags(os.path.join(directory, name)):
            log.info("tag %s: %r", tag, value)  # <- logs
            found += 1
    return found


while True:
    scan("music")
