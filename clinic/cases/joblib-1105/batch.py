# SPDX-License-Identifier: Apache-2.0
from math import sqrt

from joblib import Parallel, delayed

while True:
    Parallel(n_jobs=2)(delayed(sqrt)(i**2) for i in range(200_000))  # <- hands
