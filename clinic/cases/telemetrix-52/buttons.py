# SPDX-License-Identifier: Apache-2.0
import sys
import time

from telemetrix import telemetrix

board = telemetrix.Telemetrix(com_port=sys.argv[1], arduino_wait=1)  # <- board
board.set_pin_mode_digital_input(12, callback=print)
with open("connected", "w"):
    pass
while True:
    time.sleep(1)
