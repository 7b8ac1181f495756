# SPDX-License-Identifier: Apache-2.0
"""The words of a report: wait reasons, kinds, system calls, io_uring operations, events.

Everything that is known of one of them is in its row here; no other module has a list of them.
"""
