# SPDX-License-Identifier: Apache-2.0
from plumbum import local

git = local["sh"]["./history.sh"]


def extract_files():
    result = git.popen()
    result.wait()  # <- waits
    return result.communicate()[0].decode().splitlines()


print("extracting", flush=True)
print(len(extract_files()), "files", flush=True)
