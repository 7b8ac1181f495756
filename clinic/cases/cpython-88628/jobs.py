# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import signal
import time


def work(number):
    print("started", number, flush=True)
    time.sleep(60)
    return number * number


def main():
    pool = multiprocessing.Pool(4, signal.signal, (signal.SIGTERM, signal.SIG_DFL))

    def stop(number, frame):
        pool.terminate()
        pool.join()
        print("closed", flush=True)

    signal.signal(signal.SIGTERM, stop)
    results = [pool.apply_async(work, (number,)) for number in range(4)]
    for result in results:
        print(result.get())  # <- waits


if __name__ == "__main__":
    main()
