# SPDX-License-Identifier: Apache-2.0
import os
import smtplib
import time
from email.message import EmailMessage

from imapclient import IMAPClient

PORT = int(os.environ["PORT"])
AGENTS = [f"agent{number}@example.org" for number in range(5)]


def forward(subject: str) -> None:
    with smtplib.SMTP("127.0.0.1", PORT + 2, timeout=30) as outgoing:
        for agent in AGENTS:
            message = EmailMessage()
            message["From"], message["To"] = "desk@example.org", agent
            message["Subject"] = subject
            message.set_content("See the desk.")
            outgoing.send_message(message)


with IMAPClient("127.0.0.1", PORT, ssl=False, timeout=60) as server:
    server.login("desk", "secret")
    server.select_folder("INBOX")
    while True:
        server.idle()
        news = server.idle_check(timeout=300)
        server.idle_done()
        for number, kind in ((line[0], line[1]) for line in news):
            if kind == b"EXISTS":
                server.fetch([number], ["RFC822"])
                forward(f"Message {number}")
                print("forwarded", time.time(), flush=True)
