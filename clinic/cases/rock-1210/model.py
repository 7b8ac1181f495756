# SPDX-License-Identifier: Apache-2.0
import os

from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(
    f"postgresql+asyncpg://postgres@127.0.0.1:{os.environ['DB']}/postgres", pool_size=10
)
Sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Sandbox(Base):
    __tablename__ = "sandboxes"
    id: Mapped[int] = mapped_column(primary_key=True)
    image: Mapped[str]
    state: Mapped[str]
    host: Mapped[str]
    owner: Mapped[str]
    cpus: Mapped[float]
    memory: Mapped[int]
