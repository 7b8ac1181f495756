# SPDX-License-Identifier: Apache-2.0
import socket
import time

daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
daemon.bind("log.sock")
time.sleep(600)  # its disk is full: it reads no more
