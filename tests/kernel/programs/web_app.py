"""The smallest applications: ``wsgi`` for gunicorn, ``asgi`` for uvicorn."""

BODY = b"hello\n"
HEADERS = (("Content-Type", "text/plain"), ("Content-Length", str(len(BODY))))


def wsgi(environ, start_response):
    start_response("200 OK", list(HEADERS))
    return [BODY]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
