# SPDX-License-Identifier: Apache-2.0
"""Problems that people reported, set up with the real packages: does iotrace name their cause?

``python -m clinic [CASE...]`` (``make clinic``) sets each case up, records it, judges the report.
"""
