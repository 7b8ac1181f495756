# SPDX-License-Identifier: Apache-2.0
"""iotrace: where does my Python server wait?"""

__version__ = "0.1.0"
