# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import threading
import time

PACKET = re.compile(r"^APRS: (.*)")


class Receiver:
    """Packets of a radio: one program listens, a second one decodes, a thread reads its lines."""

    def __init__(self):
        self.running = True
        self.listener = subprocess.Popen(["sh", "rtl_fm.sh"], stdout=subprocess.PIPE)
        self.decoder = subprocess.Popen(["cat"], stdin=self.listener.stdout, stdout=subprocess.PIPE)
        self.listener.stdout.close()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while self.running:
            line = self.decoder.stdout.readline().decode().strip()  # <- reads
            packet = PACKET.match(line)
            if packet:
                print(packet.group(1), flush=True)


receiver = Receiver()
while True:
    time.sleep(1)
