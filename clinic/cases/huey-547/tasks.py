# SPDX-License-Identifier: Apache-2.0
import os
from urllib.request import urlopen

from huey import RedisHuey, crontab

PORT = int(os.environ["PORT"])
huey = RedisHuey("shop", host="127.0.0.1", port=int(os.environ["DB"]))


def page(number: int) -> bytes:
    with urlopen(f"http://127.0.99.1:{PORT}/stock?page={number}", timeout=30) as answer:  # <- asks
        return answer.read()


@huey.periodic_task(crontab(minute="*"))
def sync_stock() -> None:
    """Takes 10 s on a good day, and 20 minutes on a bad one."""
    for number in range(800):
        page(number)


@huey.task()
def send_mail(to: str) -> None:
    print("mail", to, flush=True)
