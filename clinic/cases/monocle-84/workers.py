# SPDX-License-Identifier: Apache-2.0
import os
import random
import threading
import time

from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

engine = create_engine(f"postgresql+psycopg2://postgres@127.0.0.1:{os.environ['DB']}/postgres")
Session = sessionmaker(engine)


def visit():
    time.sleep(random.uniform(0.01, 0.05))  # the game's server
    return [random.random() for _ in range(4)]


def work():
    while True:
        found = visit()
        with Session() as session:
            for value in found:
                session.execute(  # <- stores
                    text("select pg_sleep(0.15), cast(:v as float)"), {"v": value}
                )


for _ in range(60):
    threading.Thread(target=work).start()
