# SPDX-License-Identifier: Apache-2.0
import os
import time
from pathlib import Path

import fs
from fs.copy import copy_file
from fs.sshfs import SSHFS

home = fs.open_fs(".")
Path("video.mp4").write_bytes(os.urandom(1 << 20) * 2)
archive = SSHFS("127.0.95.1", user="media", passwd="", port=int(os.environ["PORT"]), keepalive=0)
while True:
    began = time.monotonic()
    copy_file(home, "video.mp4", archive, "/tmp/clinic-video.mp4")  # <- copies
    print(f"uploaded in {time.monotonic() - began:.1f} s", flush=True)
