"""Reads of a traced process's memory and files, in a process of their own with a deadline.

Whoever is traced decides how long such a read takes: a page of its memory or a file can lie on a
file system of its own that never answers, and then not even SIGKILL ends the read.
"""
