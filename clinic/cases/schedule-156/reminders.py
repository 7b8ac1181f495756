# SPDX-License-Identifier: Apache-2.0
import time

import schedule

sent = 0


def remind() -> None:
    global sent
    sent += 1
    print(f"{time.ctime()}: {sent}", flush=True)


schedule.every(1).minutes.do(remind)
schedule.every().day.at("09:30").do(remind)

while True:
    schedule.run_pending()  # <- runs
