# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

from twisted.internet import reactor, task
from twisted.web import resource, server


class Status(resource.Resource):
    isLeaf = True
    done = 0

    def render_GET(self, request):
        return b"%d" % self.done


def watch_tahoe_cmd(status):
    command = subprocess.Popen([sys.executable, "tahoe.py"], stdout=subprocess.PIPE)
    for _ in command.stdout:  # <- watches
        status.done += 1
    command.wait()


status = Status()
task.LoopingCall(watch_tahoe_cmd, status).start(2)
reactor.listenTCP(int(os.environ["PORT"]), server.Site(status), interface="127.0.0.1")
reactor.run()
