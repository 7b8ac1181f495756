# SPDX-License-Identifier: Apache-2.0
import os

from celery import Celery
from flask import Flask

app = Flask(__name__)
tasks = Celery("tasks", broker=f"amqp://127.0.23.1:{int(os.environ['PORT']) + 1}//")


@tasks.task
def send_mail(to: str) -> None:
    print(to)


@app.get("/signup")
def signup() -> str:
    send_mail.delay("someone@example.org")  # <- sends
    return "ok\n"


@app.get("/")
def index() -> str:
    return "ok\n"
