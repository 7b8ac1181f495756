# SPDX-License-Identifier: Apache-2.0
"""Reference servers, one for each I/O model, shipped as ``iotrace.servers``."""
