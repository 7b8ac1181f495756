# SPDX-License-Identifier: Apache-2.0
"""A pool of guests to which connections are given; it is seen to every few seconds."""

import os
import subprocess

from twisted.internet import protocol, reactor, threads
from twisted.protocols.basic import LineReceiver


class Pool:
    guests = ("192.168.150.11", "192.168.150.12")

    def start(self):
        threads.deferToThread(self.produce)

    def produce(self):
        self.ready = [guest for guest in self.guests if self.answers(guest)]
        reactor.callLater(2, self.produce)

    def answers(self, guest):
        probe = subprocess.run(["./nmap", guest], capture_output=True, text=True)  # <- runs
        return "open" in probe.stdout


class Honeypot(LineReceiver):
    def lineReceived(self, line):
        self.sendLine(b"login: ")


pool = Pool()
reactor.callWhenRunning(pool.start)
factory = protocol.ServerFactory.forProtocol(Honeypot)
reactor.listenTCP(int(os.environ["PORT"]), factory, interface="127.0.0.1")
reactor.run()
