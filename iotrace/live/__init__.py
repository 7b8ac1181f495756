# SPDX-License-Identifier: Apache-2.0
"""What a terminal shows while a trace goes on: a line of progress, or a live screen."""
