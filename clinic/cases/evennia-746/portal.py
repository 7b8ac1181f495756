# SPDX-License-Identifier: Apache-2.0
"""portal.py PORT: one player who looks around, again and again; how long it takes is printed."""

import sys
import time

from commands import ToPortal, ToServer
from twisted.internet import endpoints, reactor
from twisted.protocols import amp


class Portal(amp.AMP):
    count = 0
    total = 0.0

    def look(self):
        self.began = time.monotonic()
        self.callRemote(ToServer, session=1, text="look")

    @ToPortal.responder
    def output(self, session, text):
        self.count += 1
        self.total += time.monotonic() - self.began
        if self.count % 20 == 0:
            print(f"{self.total / self.count * 1000:.1f} ms for a look", flush=True)
        reactor.callLater(0.02, self.look)
        return {}


def connected(portal):
    reactor.callLater(0, portal.look)


point = endpoints.TCP4ClientEndpoint(
    reactor, "127.0.106.1", int(sys.argv[1]), bindAddress=("127.0.106.2", 0)
)
endpoints.connectProtocol(point, Portal()).addCallback(connected)
reactor.run()
