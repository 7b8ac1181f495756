# SPDX-License-Identifier: Apache-2.0
import os
from urllib.request import urlopen

from rocket3 import Rocket3

PHYLOPIC = f"http://127.0.93.1:{int(os.environ['PORT']) + 1}/a/image"


def tree_view(environ, start_response):
    if environ["PATH_INFO"] == "/image":
        said = urlopen(PHYLOPIC).read()  # <- asks
    else:
        said = b"<p>the tree of life"
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(said)))])
    return [said]


address = ("127.0.0.1", int(os.environ["PORT"]))
Rocket3(address, "wsgi", {"wsgi_app": tree_view}, min_threads=10, max_threads=10).start()
