# SPDX-License-Identifier: Apache-2.0
"""recv on an empty socket, as often as Python can. storm.py COUNTER"""

import socket
import sys

from counting import finish, open_counter, wait_for_go


def main():
    counter = open_counter(sys.argv[1])
    lonely = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    lonely.setblocking(False)
    recv, wanted, calls = lonely.recv, counter[1], 0
    wait_for_go(counter)
    while True:
        try:
            recv(1)
        except BlockingIOError:
            calls += 1
            counter[0] = calls
            if calls == wanted:
                finish(counter)


main()
