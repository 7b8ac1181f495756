# SPDX-License-Identifier: Apache-2.0
"""What this process may do, on whose behalf it does it, and how it writes files for that user."""
