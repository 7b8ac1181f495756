# SPDX-License-Identifier: Apache-2.0
for number in range(20_000):
    print(f"saved /srv/pictures/{number:05}.jpg", flush=True)
