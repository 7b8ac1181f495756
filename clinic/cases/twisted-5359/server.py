# SPDX-License-Identifier: Apache-2.0
import os
from urllib.request import urlopen

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.web import client, resource, server

BACKEND = int(os.environ["PORT"]) + 1
agent = client.Agent(reactor)


def report() -> bytes:
    return urlopen(f"http://127.0.20.1:{BACKEND}/").read()  # <- works


class Report(resource.Resource):
    def render_GET(self, request):
        deferToThread(report).addCallback(answer, request)
        return server.NOT_DONE_YET


class Quick(resource.Resource):
    def render_GET(self, request):
        asked = agent.request(b"GET", f"http://localhost:{BACKEND + 1}/".encode())
        asked.addCallback(client.readBody).addCallback(answer, request)
        return server.NOT_DONE_YET


def answer(body, request):
    request.setHeader(b"content-length", str(len(body)).encode())
    request.write(body)
    request.finish()


root = resource.Resource()
root.putChild(b"report", Report())
root.putChild(b"quick", Quick())
reactor.listenTCP(int(os.environ["PORT"]), server.Site(root), interface="127.0.0.1")
reactor.run()
