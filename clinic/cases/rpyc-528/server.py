# SPDX-License-Identifier: Apache-2.0
import sys

import rpyc
from rpyc.utils.server import ThreadedServer


class Registry(rpyc.Service):
    functions = {}

    def exposed_register(self, name, function):
        self.functions[name] = function

    def exposed_names(self):
        return str(list(self.functions.values()))  # <- shows


ThreadedServer(Registry, hostname="127.0.0.1", port=int(sys.argv[1])).start()
