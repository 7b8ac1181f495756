# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import os
import time


def analyse(results):
    open("begun", "w").close()
    time.sleep(600)
    results.put("done")


if __name__ == "__main__":
    results = multiprocessing.Queue()
    child = multiprocessing.Process(target=analyse, args=(results,))
    child.start()
    with open("child.new", "w") as file:
        file.write(str(child.pid))
    os.rename("child.new", "child")
    print(results.get())  # <- gets
    child.join()
