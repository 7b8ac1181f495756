# SPDX-License-Identifier: Apache-2.0
import pandas  # <- imports


def total(amounts: list[float]) -> float:
    return float(pandas.Series(amounts).sum())
