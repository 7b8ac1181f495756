# SPDX-License-Identifier: Apache-2.0
import os

import pymysql

database = pymysql.connect(host="127.0.0.1", port=int(os.environ["DB"]))
with database.cursor() as cursor:
    cursor.execute("create database rules")
