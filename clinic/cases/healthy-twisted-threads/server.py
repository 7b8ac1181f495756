# SPDX-License-Identifier: Apache-2.0
import os
import queue

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.web import resource, server

work = queue.Queue()


def consume() -> None:
    while True:
        work.get()


class Page(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        deferToThread(sum, range(1000)).addCallback(self.answer, request)
        return server.NOT_DONE_YET

    def answer(self, total, request):
        work.put(total)
        request.setHeader(b"content-length", b"2")
        request.write(b"ok")
        request.finish()


for _ in range(3):
    reactor.callInThread(consume)
reactor.listenTCP(int(os.environ["PORT"]), server.Site(Page()), interface="127.0.0.1")
reactor.run()
