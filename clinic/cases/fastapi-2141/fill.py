# SPDX-License-Identifier: Apache-2.0
from main import Base, Item, Sessions, engine

Base.metadata.create_all(engine)
with Sessions.begin() as session:
    session.add_all(Item(name=f"item {number}", price=number / 7) for number in range(200))
