# SPDX-License-Identifier: Apache-2.0
"""The BPF C sources, shipped inside the wheel as ``iotrace.probes``."""
