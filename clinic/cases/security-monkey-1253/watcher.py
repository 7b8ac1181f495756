# SPDX-License-Identifier: Apache-2.0
"""A watcher of accounts: what it has seen is kept in one session, and each item that changed is
stored and committed by itself."""

import itertools
import os
import time

from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.ext.declarative import declarative_base
from sqlalchemy.orm import sessionmaker

Base = declarative_base()


class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    seen = Column(Integer)


def store(session, item):
    item.seen += 1
    session.commit()  # <- commits


engine = create_engine(f"postgresql+psycopg2://postgres@127.0.0.1:{os.environ['DB']}/postgres")
Base.metadata.create_all(engine)
session = sessionmaker(engine)()
items = [Item(name=f"item {number}", seen=0) for number in range(30_000)]
session.add_all(items)
session.commit()
print("watching", flush=True)
started = time.monotonic()
for done, item in enumerate(itertools.cycle(items), 1):
    store(session, item)
    if done % 100 == 0:
        print(f"{done} items in {time.monotonic() - started:.1f} s", flush=True)
