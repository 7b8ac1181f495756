# SPDX-License-Identifier: Apache-2.0
import sys

import pexpect


def backup():
    child = pexpect.spawn(sys.executable, ["backup.py"])
    child.expect("saved")
    return child.wait()  # <- waits


print(backup())
