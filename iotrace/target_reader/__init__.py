# SPDX-License-Identifier: Apache-2.0
"""Reads of a traced process's memory and files, in a process of their own with a deadline.

Whoever is traced decides how long such a read takes: a page of its memory or a file can lie on a
file system of its own that never answers, and then not even SIGKILL ends the read.

``reader`` and ``asking`` ask, count what fails and tell what is missing. ``pool`` has the one
reader that answers and those that were given up; ``spawner`` is the process that forks readers,
itself forked before there are probes; ``confinement`` is what readers give up. ``server`` is a
reader: it takes a question and answers it. ``messages``: both on a pipe. ``threads``,
``programs``, ``opened``, ``stacks``, ``tasks``, ``task_offsets``: questions, both ends of each.
"""
