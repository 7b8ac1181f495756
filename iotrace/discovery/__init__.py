# SPDX-License-Identifier: Apache-2.0
"""Finds the processes that a user means: by port, unit, control group, container, pod or name.

``selectors`` says what was asked for, ``census`` what processes there are, ``containers`` what
container runtimes call theirs, ``ports`` who listens where; ``selection`` puts them together.
"""
