# SPDX-License-Identifier: Apache-2.0
"""Browsers: a page each second or three, now and then an upload of a picture; each looks whether
its connection is still there before it uses it again."""

import http.client
import os
import random
import select
import threading
import time

PICTURE = (
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    + random.Random(3).randbytes(400_000)
    + b"\r\n--xyz--\r\n"
)
FORM = {"Content-Type": "multipart/form-data; boundary=xyz"}


def browser(number):
    time.sleep(number / 3)
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
    while True:
        if connection.sock and select.select([connection.sock], [], [], 0)[0]:
            connection.close()
        if random.random() < 0.1:
            connection.request("POST", "/upload", PICTURE, FORM)
        else:
            connection.request("GET", "/")
        connection.getresponse().read()
        time.sleep(random.uniform(1, 3))


for number in range(8):
    threading.Thread(target=browser, args=(number,)).start()
