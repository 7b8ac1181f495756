# SPDX-License-Identifier: Apache-2.0
import time

from tasks import send_mail, sync_stock

for _ in range(10):
    sync_stock()
while True:
    send_mail("someone@example.org")
    time.sleep(0.5)
