# SPDX-License-Identifier: Apache-2.0
import os

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

engine = create_engine(f"postgresql+psycopg2://postgres@127.0.0.1:{os.environ['DB']}/postgres")
Session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class State(Base):
    __tablename__ = "states"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"))


class Request(Base):
    __tablename__ = "requests"
    id: Mapped[int] = mapped_column(primary_key=True)
    repo: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship()
    states: Mapped[list[State]] = relationship()

    def to_json(self) -> dict[str, object]:
        return {
            "repo": self.repo,
            "user": self.user.name,
            "states": [state.name for state in self.states],  # <- loads
        }
