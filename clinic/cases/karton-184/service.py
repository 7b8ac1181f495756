# SPDX-License-Identifier: Apache-2.0
import os

from karton.core import Config, Karton

config = Config.from_dict(
    {
        "redis": {"host": "127.0.65.1", "port": os.environ["PORT"]},
        "minio": {"address": "127.0.0.1:9", "access_key": "a", "secret_key": "s", "bucket": "b"},
    }
)


class Unpacker(Karton):
    identity = "karton.unpacker"
    filters = [{"type": "sample"}]

    def process(self, task):
        pass


Unpacker(config).loop()  # <- asks
