# SPDX-License-Identifier: Apache-2.0
"""One module a table: rows in the order of their cost, cut to the costliest ones."""
