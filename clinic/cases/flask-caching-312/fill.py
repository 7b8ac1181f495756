# SPDX-License-Identifier: Apache-2.0
from cachelib import FileSystemCache

cache = FileSystemCache("cache", threshold=5000)
for number in range(4000):
    cache.set(f"page {number}", "<p>hello</p>", timeout=3600)
