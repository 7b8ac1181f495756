# SPDX-License-Identifier: Apache-2.0
"""What this host can and cannot do, feature by feature, each one tried."""
