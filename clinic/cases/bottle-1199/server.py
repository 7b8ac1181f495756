# SPDX-License-Identifier: Apache-2.0
import os
from urllib.request import urlopen

import bottle

PRICES = f"http://127.0.45.1:{int(os.environ['PORT']) + 1}/prices"


@bottle.route("/")
def index():
    return "ok"


@bottle.route("/prices")
def prices():
    return urlopen(PRICES).read()  # <- asks


bottle.run(server="twisted", host="127.0.0.1", port=int(os.environ["PORT"]), quiet=True)
