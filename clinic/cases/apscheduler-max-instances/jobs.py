# SPDX-License-Identifier: Apache-2.0
import logging
import os
import urllib.request

from apscheduler.schedulers.blocking import BlockingScheduler

logging.basicConfig(level=logging.INFO)
scheduler = BlockingScheduler()
URL = f"http://127.0.13.1:{int(os.environ['PORT']) + 2}/klines"


@scheduler.scheduled_job("interval", seconds=1)
def get_klines() -> None:
    print(urllib.request.urlopen(URL).read())  # <- asks


scheduler.start()
