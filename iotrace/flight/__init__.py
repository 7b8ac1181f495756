# SPDX-License-Identifier: Apache-2.0
"""A flight recorder: the last seconds of a trace, kept in memory, written when something happens.

``triggers`` says of the report of an interval whether it happened; ``recorder`` keeps and writes.
"""
