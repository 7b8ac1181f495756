# SPDX-License-Identifier: Apache-2.0
"""Reports of intervals, added up into the metrics that monitoring systems collect.

``catalogue`` says what metrics there are, ``groups`` who they are of, ``totals`` adds up,
``prometheus`` writes them as text.
"""
