# SPDX-License-Identifier: Apache-2.0
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor

URL = f"http://127.0.24.1:{int(os.environ['PORT']) + 1}/usage"


def send_usage() -> None:
    urllib.request.urlopen(URL).read()  # <- sends


def main() -> None:
    pool = ThreadPoolExecutor(2)
    pool.submit(send_usage)
    pool.shutdown(wait=False)
    print("report written")


if __name__ == "__main__":
    main()
    print("done", flush=True)
