# SPDX-License-Identifier: Apache-2.0
"""Traces a whole host without an end, and hands metrics to the systems that collect them.

``session`` is the trace; ``identity`` says who a process's figures are of; ``exporter`` is the
process that answers Prometheus, ``textfile`` writes for node_exporter.
"""
