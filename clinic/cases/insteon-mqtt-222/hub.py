# SPDX-License-Identifier: Apache-2.0
"""A hub with an event loop of its own, as insteon-mqtt has: a modem and an MQTT client in it."""

import os
import select
import time

import paho.mqtt.client as mqtt

READ = select.POLLIN | select.POLLPRI
CLOSE = select.POLLHUP | select.POLLERR


class Modem:
    def __init__(self):
        self.line, self.other_end = os.pipe()

    def fileno(self):
        return self.line

    def read(self):
        os.read(self.line, 4096)

    def regularly(self):
        pass


class Broker:
    def __init__(self, port):
        self.client = mqtt.Client("hub", clean_session=False)
        self.client.on_disconnect = self.lost
        self.client.reinitialise("hub-of-the-house", clean_session=False)  # forgets the callback
        self.client.connect("127.0.114.1", port, keepalive=30)
        self.fd = self.client.socket().fileno()

    def fileno(self):
        return self.fd

    def read(self):
        self.client.loop_read()

    def regularly(self):
        self.client.loop_misc()

    def lost(self, client, data, result):
        links.remove(self)


class Links:
    def __init__(self):
        self.poll, self.links = select.poll(), {}

    def add(self, link):
        self.poll.register(link.fileno(), READ | CLOSE)
        self.links[link.fileno()] = link

    def remove(self, link):
        self.poll.unregister(link.fileno())
        del self.links[link.fileno()]

    def select(self, seconds):
        for fd, flags in self.poll.poll(seconds * 1000):  # <- polls
            if flags & READ:
                self.links[fd].read()
            if flags & CLOSE:
                self.remove(self.links[fd])
        for link in self.links.values():
            link.regularly()


links = Links()
links.add(Modem())
links.add(Broker(int(os.environ["BUS"])))
print("connected", flush=True)
seen = time.monotonic()
while links.links:
    links.select(3)  # <- polls
    if time.monotonic() - seen > 60:
        seen = time.monotonic()
        print("alive", flush=True)
