# SPDX-License-Identifier: Apache-2.0
from tasks import fetch

for number in range(8):
    fetch.send(number)
