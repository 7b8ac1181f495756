# SPDX-License-Identifier: Apache-2.0
"""An agent's web service (gevent) that logs all it does to stderr, as VOLTTRON's agents do."""

from gevent import monkey

monkey.patch_all()

import logging
import os

from gevent.pywsgi import WSGIServer

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s %(levelname)s: %(message)s")
log = logging.getLogger("platform.agent")


def points(device):
    return [{"device": device, "point": number, "value": number * 1.7} for number in range(40)]


def application(environ, start_response):
    if environ["PATH_INFO"] == "/scrape":
        log.debug("scraped %s", points("ahu1"))  # <- logs
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


WSGIServer(("127.0.0.1", int(os.environ["PORT"])), application, log=None).serve_forever()
