# SPDX-License-Identifier: Apache-2.0
import time

import crochet
from twisted.internet import threads

crochet.setup()


def look_up(number: int) -> str:
    time.sleep(0.05)
    return f"user {number}"


@crochet.run_in_reactor
def profile(number: int):
    return threads.deferToThread(look_up, number)


def handle(number: int) -> str:
    return profile(number).wait(timeout=600)  # <- waits


@crochet.run_in_reactor
def accept(number: int):
    done = threads.deferToThread(handle, number)
    done.addCallback(lambda text: print(text, flush=True))


for number in range(1000):
    accept(number)
    time.sleep(0.2 if number < 10 else 0.001)
    if number == 50:
        print("many", flush=True)
while True:
    time.sleep(60)
