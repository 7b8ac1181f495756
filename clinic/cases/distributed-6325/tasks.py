# SPDX-License-Identifier: Apache-2.0
import numpy


def part(run_and_number):
    return numpy.full(1_000_000, run_and_number[1], dtype="u1")


def joined(parts):
    size = 0
    for _ in range(400):
        size += numpy.concatenate(parts).size  # <- joins
    return size
