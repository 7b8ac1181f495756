# SPDX-License-Identifier: Apache-2.0
"""Bans hosts that fail to log in, and asks once a minute a server which hosts others have seen."""

import os
import sys
import time
from xmlrpc.client import ServerProxy

DOWNLOAD_EVERY = 60


class Sync:
    def __init__(self, url):
        self.server = ServerProxy(url)
        self.last = 0.0

    def receive_new_hosts(self):
        if time.time() - self.last < DOWNLOAD_EVERY:
            return []
        hosts = self.server.get_new_hosts(int(self.last), 3, [], 5)  # <- asks
        self.last = time.time()
        return hosts["hosts"]


def main():
    denied, sync, place = set(), Sync(sys.argv[2]), 0
    while True:
        with open(sys.argv[1]) as log:
            log.seek(place)
            for line in log:
                if "Failed password" in line:
                    denied.add(line.split()[-1])
            place = log.tell()
        with open("denied.new", "w") as out:
            out.writelines(f"{host}\n" for host in sorted(denied))
        os.replace("denied.new", "denied")
        denied.update(sync.receive_new_hosts())
        time.sleep(0.5)


main()
