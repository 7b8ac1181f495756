"""Children in which a thread that is not the first becomes another program. replaced.py CHILDREN"""

import os
import sys
import threading

from gate import finished, ready


def become_another():
    thread = threading.Thread(target=os.execv, args=("/bin/true", ["/bin/true"]))
    thread.start()
    thread.join()


def main():
    ready()
    for _ in range(int(sys.argv[1])):
        pid = os.fork()
        if not pid:
            become_another()
            os._exit(1)
        os.waitpid(pid, 0)
    finished()


main()
