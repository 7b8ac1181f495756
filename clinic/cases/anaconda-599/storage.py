# SPDX-License-Identifier: Apache-2.0
import logging
import threading
import time

logging.basicConfig(filename="storage.log", level=logging.INFO)
log = logging.getLogger("storage")


class Device:
    """As those of blivet: each method takes the device's lock."""

    def __init__(self, name):
        self.name = name
        self.size = 0
        self.lock = threading.RLock()

    def __str__(self):
        with self.lock:  # <- shows
            return f"{self.name} of {self.size} MiB"

    def resize(self, size):
        with self.lock:
            self.size = size
            time.sleep(0.001)  # tells the kernel
            log.info("%s has %d MiB now", self.name, size)  # <- logs


def partition(device):
    for size in range(1, 100_000):
        device.resize(size)


def show(device):
    while True:
        log.info("the disk is %s", device)  # <- shows
        time.sleep(0.002)


disk = Device("sda1")
threading.Thread(target=partition, args=(disk,)).start()
threading.Thread(target=show, args=(disk,)).start()
