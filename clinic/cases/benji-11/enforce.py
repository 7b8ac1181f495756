# SPDX-License-Identifier: Apache-2.0
import time

from model import Session, Version
from sqlalchemy.exc import OperationalError


def remove() -> None:
    with Session() as session:
        session.add(Version(name="retention"))
        session.commit()  # <- waits


while True:
    try:
        remove()
    except OperationalError as error:
        print(error.orig, flush=True)
    time.sleep(0.2)
