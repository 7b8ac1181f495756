# SPDX-License-Identifier: Apache-2.0
import os

import pymysql
from flask import Flask

app = Flask(__name__)


def database():
    return pymysql.connect(  # <- connects
        host="127.0.67.3", port=int(os.environ["DB"]), user="shop", connect_timeout=5
    )


@app.route("/")
def index():
    cursor = database().cursor()
    cursor.execute("select 1")
    return str(cursor.fetchone())
