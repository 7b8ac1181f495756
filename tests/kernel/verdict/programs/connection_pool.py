"""A pool of connections, as libraries have them."""

import threading


class Pool:
    def __init__(self, size):
        self._free = threading.Semaphore(size)

    def get_connection(self):
        self._free.acquire()

    def give_back(self):
        self._free.release()
