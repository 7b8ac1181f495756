# SPDX-License-Identifier: Apache-2.0
import json
import os

from cheroot.wsgi import Server
from sqlalchemy import create_engine, text
from sqlalchemy.orm import scoped_session, sessionmaker

engine = create_engine(
    f"postgresql+psycopg2://postgres@127.0.0.1:{os.environ['DB']}/postgres",
    pool_size=1,
    max_overflow=1,
)
Session = scoped_session(sessionmaker(engine))
QUERY = text(
    "select count(*), min(md5(a::text || b::text))"
    " from generate_series(1, 300) a, generate_series(1, 300) b"
)


def networks():
    try:
        return list(Session().execute(QUERY).one())  # <- asks
    finally:
        Session.remove()


def application(environ, start_response):
    body = json.dumps(networks()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


Server(("127.0.0.1", int(os.environ["PORT"])), application, numthreads=10).start()
