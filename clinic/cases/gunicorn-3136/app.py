# SPDX-License-Identifier: Apache-2.0
"""A shop whose search index is made when the module is imported."""

import re


def search_index():
    index = {}
    for number in range(3_000_000):
        title = f"article {number % 5000} in colour {number % 77}"
        for word in re.findall(r"\w+", title):  # <- loads
            index.setdefault(word, set()).add(number % 1000)
    return index


INDEX = search_index()


def app(environ, start_response):
    found = str(len(INDEX.get(environ["QUERY_STRING"], ()))).encode()
    start_response("200 OK", [("Content-Length", str(len(found)))])
    return [found]
