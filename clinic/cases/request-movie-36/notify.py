# SPDX-License-Identifier: Apache-2.0
import itertools
import os
import smtplib
from email.message import EmailMessage


def send(text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.org", "b@x.org", "A film"
    message.set_content(text)
    with smtplib.SMTP("127.0.76.1", int(os.environ["PORT"])) as server:  # <- connects
        server.login("user", "secret")  # <- connects
        server.send_message(message)  # <- connects


for number in itertools.count():
    send(f"Your film {number} is there.")
