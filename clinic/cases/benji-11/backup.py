# SPDX-License-Identifier: Apache-2.0
import hashlib
import os
import time

from model import Block, Session, Version


def read_block(number: int) -> bytes:
    time.sleep(0.05)  # the device
    return os.urandom(4096) + bytes([number % 256])


while True:
    with Session() as session:
        version = Version(name="vm-1")
        session.add(version)
        session.flush()
        print("backup of", version.name, flush=True)
        for number in range(160):
            checksum = hashlib.sha256(read_block(number)).hexdigest()
            session.add(Block(version=version.id, checksum=checksum))
            session.flush()
        session.commit()
    time.sleep(0.5)
