# SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import Iterator

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(
    f"postgresql+psycopg2://postgres@127.0.0.1:{os.environ['DB']}/postgres",
    pool_size=20,
    max_overflow=20,
)
Sessions = sessionmaker(engine)
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[float]


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str
    price: float


def database() -> Iterator[Session]:
    with Sessions() as session:
        yield session


@app.get("/items", response_model=list[Shown])
def items(session: Session = Depends(database)):
    return session.scalars(select(Item).limit(40)).all()


@app.get("/items/{number}", response_model=Shown)
def item(number: int, session: Session = Depends(database)):
    return session.get(Item, number)
