# SPDX-License-Identifier: Apache-2.0
from tasks import count_beans

for number in range(1, 9):
    count_beans(number)
