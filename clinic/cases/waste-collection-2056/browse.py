# SPDX-License-Identifier: Apache-2.0
"""Asks for one source after the other."""

import http.client
import itertools
import os
import time

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
for number in itertools.count():
    connection.request("GET", f"/collection/{number % 500}")
    connection.getresponse().read()
    time.sleep(0.2)
