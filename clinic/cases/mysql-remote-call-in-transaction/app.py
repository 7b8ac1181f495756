# SPDX-License-Identifier: Apache-2.0
import os
import urllib.request

import pymysql
from flask import Flask

PAYMENTS = f"http://127.0.20.1:{int(os.environ['PORT']) + 1}/pay"
app = Flask(__name__)


@app.get("/order")
def order() -> str:
    database = pymysql.connect(host="127.0.0.1", port=int(os.environ["DB"]), database="shop")
    try:
        with database.cursor() as cursor:
            cursor.execute("select stock from items where id = 1 for update")  # <- waits
            urllib.request.urlopen(PAYMENTS).read()  # <- pays
            cursor.execute("update items set stock = stock - 1 where id = 1")
        database.commit()
    finally:
        database.close()
    return "ok\n"
