# SPDX-License-Identifier: Apache-2.0
"""server.py PORT: the game; players connect to the portal, which passes commands on to it."""

import sys

from commands import ToPortal, ToServer
from twisted.internet import protocol, reactor
from twisted.protocols import amp


class Game(amp.AMP):
    @ToServer.responder
    def command(self, session, text):
        reactor.callLater(0.003, self.answer, session, text)
        return {}

    def answer(self, session, text):
        self.callRemote(ToPortal, session=session, text=f"You see a room. ({text})")  # <- sends


factory = protocol.Factory.forProtocol(Game)
reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.106.1")
reactor.run()
