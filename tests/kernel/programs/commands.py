"""A script that runs one command after the other, or (argv[1] "fixed") has none and sleeps."""

import subprocess
import sys
import time

from gate import finished, ready

WRONG = sys.argv[1] == "wrong"
COUNT, EACH_S = 10, 0.2


def export():
    for _ in range(COUNT):
        if WRONG:
            subprocess.run(["sleep", str(EACH_S)], check=True)
        else:
            time.sleep(EACH_S)


ready()
export()
finished()
