# SPDX-License-Identifier: Apache-2.0
import logging
import os
import urllib.request

from apscheduler.events import EVENT_JOB_SUBMITTED
from apscheduler.schedulers.blocking import BlockingScheduler

logging.basicConfig(level=logging.INFO)
AUDIT = f"http://127.0.111.1:{int(os.environ['PORT']) + 1}/audit"
scheduler = BlockingScheduler(timezone="UTC")


def report(event):
    """Each run of a job is to be seen in the audit service."""
    urllib.request.urlopen(f"{AUDIT}?job={event.job_id}", timeout=30).read()  # <- reports


@scheduler.scheduled_job("interval", seconds=2)
def measure():
    pass


@scheduler.scheduled_job("interval", seconds=5)
def clean():
    pass


scheduler.add_listener(report, EVENT_JOB_SUBMITTED)
scheduler.start()
