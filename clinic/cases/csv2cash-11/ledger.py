# SPDX-License-Identifier: Apache-2.0
import logging
import time

import numpy as np
import pandas as pd

logging.basicConfig(filename="ledger.log", level=logging.DEBUG, format="%(asctime)s: %(message)s")
logger = logging.getLogger(__name__)


def is_internal(transaction: pd.Series, rawdata: pd.DataFrame, index: int) -> bool:
    """Whether it goes from one account of ours to another: there is one with the same amount."""
    logger.debug(f"Function start arguments: {locals()}")  # <- logs
    return bool((rawdata["amount"] == -transaction["amount"]).any())


def compile_transfers(rawdata: pd.DataFrame) -> list[bool]:
    began = time.monotonic()
    internal = []
    for index, transaction in rawdata.iterrows():
        internal.append(is_internal(transaction, rawdata, index))
        if len(internal) % 50 == 0:
            print(f"{len(internal) / (time.monotonic() - began):.0f} rows a second", flush=True)
    return internal


rng = np.random.default_rng(1)
rows = 200_000
names = [f"Shop {number}" for number in range(rows)]
columns = {"description": names, "original": names, "notes": names, "account": names}
dates = pd.date_range("2018-01-01", periods=rows, freq="min")
compile_transfers(
    pd.DataFrame(columns | {"date": dates, "amount": rng.integers(-9999, 9999, rows)})
)
