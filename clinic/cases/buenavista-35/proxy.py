# SPDX-License-Identifier: Apache-2.0
import os

import duckdb
from buenavista.examples.duckdb_postgres import create

database = duckdb.connect()
database.execute("CREATE TABLE prices AS SELECT range AS id, range * 1.5 AS price FROM range(5000)")
create(database, ("127.0.0.1", int(os.environ["PORT"]))).serve_forever()
