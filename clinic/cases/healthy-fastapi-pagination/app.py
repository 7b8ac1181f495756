# SPDX-License-Identifier: Apache-2.0
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_pagination import Page, add_pagination
from fastapi_pagination.ext.sqlalchemy import paginate
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DSN = f"postgresql+asyncpg://postgres@127.0.0.1:{os.environ['DB']}/postgres"
engine = create_async_engine(DSN, pool_size=5)
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str


@asynccontextmanager
async def lifespan(app):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with Session.begin() as session:
        session.add_all(User(name=f"user {number}") for number in range(200))
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/users")
async def users() -> Page[UserOut]:
    async with Session() as session:
        return await paginate(session, select(User).order_by(User.id))


add_pagination(app)
