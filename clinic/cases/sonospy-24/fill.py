# SPDX-License-Identifier: Apache-2.0
import os
import struct

os.mkdir("music")
for number in range(500):
    with open(f"music/{number}.mp3", "wb") as file:
        file.write(b"ID3" + bytes(7))
        for tag in (b"TIT2", b"TPE1", b"TALB", b"TRCK", b"TYER", b"TCON", b"COMM", b"TCOM"):
            value = b"%s of %d" % (tag, number)
            file.write(struct.pack(">4sI", tag, len(value)) + value)
