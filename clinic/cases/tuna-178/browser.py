# SPDX-License-Identifier: Apache-2.0
"""A browser's tab: it has the page, and keeps the connection for more."""

import http.client
import os
import time

tab = http.client.HTTPConnection(
    "127.0.0.1", int(os.environ["PORT"]), source_address=("127.0.95.1", 0)
)
tab.request("GET", "/")
tab.getresponse().read()
time.sleep(600)
