# SPDX-License-Identifier: Apache-2.0
import os
import queue
import smtplib
import threading
from email.message import EmailMessage

from flask import Flask

app = Flask(__name__)
outbox: queue.Queue[EmailMessage] = queue.Queue()


def send() -> None:
    server = smtplib.SMTP("127.0.76.1", int(os.environ["PORT"]) + 1)
    server.login("user", "secret")
    while True:
        server.send_message(outbox.get())


threading.Thread(target=send, daemon=True).start()


@app.get("/")
def index() -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.org", "b@x.org", "Welcome"
    message.set_content("hello")
    outbox.put(message)
    return "sent\n"
