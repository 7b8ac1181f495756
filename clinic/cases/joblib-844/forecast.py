# SPDX-License-Identifier: Apache-2.0
import numpy as np
from joblib import Parallel, delayed
from scipy.optimize import minimize


def loss(parameters, sales):
    level, trend = parameters
    return float(((sales - level - trend * np.arange(len(sales))) ** 2).sum())


def forecast(product):
    """One of the products has a day without a figure."""
    sales = np.random.default_rng(product).random(60)
    if product == 7:
        sales[30] = np.nan
    options = {"maxiter": 10**9, "maxfev": 10**9}
    return minimize(loss, (0, 0), sales, method="Nelder-Mead", options=options).x  # <- fits


def main():
    results = Parallel(n_jobs=3, return_as="generator_unordered")(
        delayed(forecast)(product) for product in range(20)
    )
    for count, _ in enumerate(results, 1):  # <- waits
        print(count, "done", flush=True)


main()
