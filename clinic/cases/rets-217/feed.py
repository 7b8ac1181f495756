# SPDX-License-Identifier: Apache-2.0
import os

from rets import Session

listings = Session(
    f"http://127.0.63.1:{os.environ['PORT']}/login", "agent", "secret", http_auth="basic"
)
listings.login()  # <- asks
