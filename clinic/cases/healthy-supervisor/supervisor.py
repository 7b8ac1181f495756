# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

port = int(os.environ["PORT"])
children = [subprocess.Popen([sys.executable, "app.py", str(port + n)]) for n in range(2)]
for child in children:
    child.wait()
