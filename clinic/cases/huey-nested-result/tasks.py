# SPDX-License-Identifier: Apache-2.0
import os

from huey import RedisHuey

huey = RedisHuey("beans", host="127.0.0.1", port=int(os.environ["DB"]))


@huey.task()
def check_bean_count(number: int) -> bool:
    return number > 0


@huey.task()
def count_beans(number: int) -> int:
    assert check_bean_count(number).get(blocking=True)  # <- waits
    return number
