# SPDX-License-Identifier: Apache-2.0
import json
import os

from SimpleWebSocketServer import SimpleWebSocketServer, WebSocket

players = []


class Player(WebSocket):
    def handleMessage(self):
        moved = json.loads(self.data)
        for other in players:
            other.sendMessage(json.dumps(moved))  # <- sends

    def handleConnected(self):
        players.append(self)

    def handleClose(self):
        players.remove(self)


SimpleWebSocketServer("127.0.0.1", int(os.environ["PORT"]), Player).serveforever()  # <- sends
