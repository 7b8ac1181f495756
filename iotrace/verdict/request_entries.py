# SPDX-License-Identifier: Apache-2.0
"""Functions of servers and frameworks that have one request in hand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import named

_REQUEST = re.compile(
    r"/(?:flask/app|bottle|pyramid/router|falcon/app)\.py:(?:dispatch_request|__call__|_handle)$"
    r"|/django/core/handlers/\w+\.py:_?get_response(?:_async)?$|/werkzeug/serving\.py:run_wsgi$"
    r"|/aiohttp/web_protocol\.py:_handle_request$|/tornado/web\.py:_execute$"
    r"|/gunicorn/workers/\w+\.py:handle_request$|/waitress/(?:task|channel)\.py:service$"
    r"|/socketserver\.py:finish_request$|/http/server\.py:handle_one_request$"
    r"|/starlette/routing\.py:app$|/fastapi/routing\.py:run_endpoint_function$"
    r"|/uvicorn/protocols/(?:http|websockets)/\w+\.py:run_asgi$"
    r"|/hypercorn/asyncio/task_group\.py:_handle$|/quart/app\.py:handle_request$"
    r"|/sanic/app\.py:handle_request$"
)
"""A command, or a thread of a pool, is none of these."""


def handles_one(stack: Sequence[Frame]) -> bool:
    """Whether some frame is of what a server or a framework calls for one request, whoever's code
    answers it: an installed application has no frame of the program's own."""
    return any(_REQUEST.search(named(frame)) for frame in stack)
