# SPDX-License-Identifier: Apache-2.0
import multiprocessing


def work(channel):
    while True:
        job = channel.recv_bytes()
        channel.send_bytes(job.upper())  # <- replies


def main():
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.Process(target=work, args=(theirs,), daemon=True)
    worker.start()
    jobs = [b"x" * 400_000, b"y" * 400_000, b"z" * 400_000]
    for job in jobs:
        ours.send_bytes(job)  # <- submits
    print([len(ours.recv_bytes()) for _ in jobs])


if __name__ == "__main__":
    main()
