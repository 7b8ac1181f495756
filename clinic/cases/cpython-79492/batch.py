# SPDX-License-Identifier: Apache-2.0
import multiprocessing


class LintError(Exception):
    def __init__(self, path, line):
        super().__init__(f"{path}: {line}")
        self.path = path


def lint(path):
    if path == "file3":
        raise LintError(path, 3)
    return len(path)


def main():
    with multiprocessing.Pool(4) as pool:
        print(pool.map(lint, [f"file{n}" for n in range(10)], chunksize=1))  # <- waits


if __name__ == "__main__":
    main()
