# SPDX-License-Identifier: Apache-2.0
import os
import smtplib
import threading
import time


def client():
    while True:
        try:
            with smtplib.SMTP("127.0.0.1", int(os.environ["PORT"]), local_hostname="c.test") as one:
                one.sendmail("a@c.test", ["b@c.test"], "Subject: hello\r\n\r\nhello")
        except OSError:
            pass
        time.sleep(0.2)


for _ in range(3):
    threading.Thread(target=client).start()
