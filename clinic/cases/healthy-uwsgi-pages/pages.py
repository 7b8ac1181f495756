# SPDX-License-Identifier: Apache-2.0
import sqlite3

from flask import Flask, render_template_string

app = Flask(__name__)
PAGE = "<ul>{% for title, year in books %}<li>{{ title }}, {{ year }}</li>{% endfor %}</ul>"


@app.get("/")
def index() -> str:
    with sqlite3.connect("books.db") as database:
        books = database.execute("select title, year from books order by year limit 20").fetchall()
    return render_template_string(PAGE, books=books)
