# SPDX-License-Identifier: Apache-2.0
from tasks import report

for number in range(8):
    report.delay(number)
