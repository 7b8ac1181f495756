"""The words of a report: wait reasons, kinds of descriptors, system calls, io_uring operations.

Everything that is known of one of them is in its row here; no other module has a list of them.
"""
