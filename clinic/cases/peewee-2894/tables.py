# SPDX-License-Identifier: Apache-2.0
import os

import pymysql

database = pymysql.connect(host="127.0.0.1", port=int(os.environ["DB"]), autocommit=True)
with database.cursor() as cursor:
    cursor.execute("create database shop")
    cursor.execute("create table shop.item (id int primary key auto_increment, name varchar(50))")
    cursor.execute("insert into shop.item (name) values ('chair'), ('table')")
