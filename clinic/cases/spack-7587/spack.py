# SPDX-License-Identifier: Apache-2.0
import sys

from checker import FastPackageChecker

repository = FastPackageChecker("cluster/packages")
if sys.argv[1] == "python":
    exec(sys.argv[2])
