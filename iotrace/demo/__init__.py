# SPDX-License-Identifier: Apache-2.0
"""The demo: a reference server, a load, and the textbook's picture with measured figures in it."""
