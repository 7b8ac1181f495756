# SPDX-License-Identifier: Apache-2.0
import os
import time

import imagezmq
import numpy as np

sender = imagezmq.ImageSender(f"tcp://127.0.98.1:{os.environ['PORT']}")


def send(frame: np.ndarray) -> None:
    sender.send_image("porch", frame)  # <- sends


for number in range(100_000):
    send(np.full((120, 160, 3), number % 256, dtype=np.uint8))
    time.sleep(0.05)
