# SPDX-License-Identifier: Apache-2.0
import os

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine(f"sqlite:///{os.environ['WORK']}/benji.sqlite")
Session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Version(Base):
    __tablename__ = "versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Block(Base):
    __tablename__ = "blocks"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    checksum: Mapped[str]


if __name__ == "__main__":
    Base.metadata.create_all(engine)
