# SPDX-License-Identifier: Apache-2.0
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

DSN = f"postgresql+asyncpg://postgres@127.0.0.1:{os.environ['DB']}/postgres"
engine = create_async_engine(DSN, pool_size=5, pool_pre_ping=True)
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    article: Mapped[str]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    lines: Mapped[list[Line]] = relationship()


@asynccontextmanager
async def lifespan(app):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with Session.begin() as session:
        for number in range(20):
            lines = [Line(article=f"article {number} {part}") for part in range(3)]
            session.add(Order(name=f"order {number}", lines=lines))
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/orders")
async def orders() -> list[dict[str, object]]:
    async with Session() as session:
        found = await session.scalars(select(Order).options(selectinload(Order.lines)).limit(20))
        return [{"name": one.name, "lines": [line.article for line in one.lines]} for one in found]


@app.post("/orders")
@app.get("/new")
async def new() -> int:
    async with Session.begin() as session:
        order = Order(name="new", lines=[Line(article="one")])
        session.add(order)
    return order.id
