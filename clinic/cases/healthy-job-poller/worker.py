# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import os
import time
import urllib.request

URL = f"http://127.0.0.1:{int(os.environ['PORT']) + 2}/jobs"


def run_job(number: int) -> int:
    for _ in range(4):
        urllib.request.urlopen(f"{URL}/{number}", timeout=5).read()
        time.sleep(0.1)
    return number


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for number in range(10_000):
        jobs = [pool.submit(run_job, 2 * number + one) for one in range(2)]
        print("done", *(job.result() for job in jobs), flush=True)
