# SPDX-License-Identifier: Apache-2.0
import os
import stat


class FastPackageChecker(dict):
    """The modification time of each package's file."""

    def __init__(self, packages_path: str) -> None:
        super().__init__()
        for name in os.listdir(packages_path):
            self.check(name, os.path.join(packages_path, name, "package.py"))

    def check(self, name: str, path: str) -> None:
        try:
            found = os.stat(path)  # <- stats
        except OSError:
            return
        if stat.S_ISREG(found.st_mode):
            self[name] = found.st_mtime
