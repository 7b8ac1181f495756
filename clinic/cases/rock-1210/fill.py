# SPDX-License-Identifier: Apache-2.0
import asyncio

from model import Base, Sandbox, Sessions, engine


async def main():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with Sessions.begin() as session:
        for number in range(8_000):
            what = {"image": "python:3.11", "state": "running", "host": f"node{number % 40}"}
            session.add(Sandbox(**what, owner=f"user{number % 300}", cpus=2, memory=4096))


asyncio.run(main())
