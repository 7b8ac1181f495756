# SPDX-License-Identifier: Apache-2.0
from models import Base, Request, Session, State, User, engine

Base.metadata.create_all(engine)
with Session.begin() as session:
    for number in range(150):
        states = [State(name=name) for name in ("new", "running", "done")]
        user = User(name=f"user {number}")
        session.add(Request(repo=f"repository {number}", user=user, states=states))
