# SPDX-License-Identifier: Apache-2.0
"""Looks again and again whether what a list links to is there."""

import os

import requests

PORT = int(os.environ["PORT"])
LINKS = [f"http://127.0.0.1:{PORT}/{page}" for page in range(20)] + [
    f"http://127.0.42.1:{PORT}/radio"
]

session = requests.Session()
for link in LINKS:
    answer = session.get(link, timeout=5)  # <- asks
    print(link, answer.status_code, len(answer.content), flush=True)
