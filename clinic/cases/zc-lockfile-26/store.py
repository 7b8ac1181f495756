# SPDX-License-Identifier: Apache-2.0
import sys

import zc.lockfile

print("locking", flush=True)
lock = zc.lockfile.LockFile(sys.argv[1])  # <- locks
print("locked", flush=True)
