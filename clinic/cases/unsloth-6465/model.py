"""Prints a token each 0.2 s."""

import time

for number in range(25):
    time.sleep(0.2)
    print("token", number)
