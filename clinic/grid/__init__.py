# SPDX-License-Identifier: Apache-2.0
"""The grid: each fault of a list in each kind of program of another, by lot.

A cell is a case (clinic/case.py) that is put together here, not kept: what its first finding says
is held against what the fault demands.
"""
