# SPDX-License-Identifier: Apache-2.0
"""resolver.py NETWORK: NETWORK.77 never answers, NETWORK.78 says that no name exists."""

import socket
import sys

dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
dead.bind((sys.argv[1] + ".77", 53))
good = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
good.bind((sys.argv[1] + ".78", 53))
while True:
    question, who = good.recvfrom(4096)
    good.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], who)
