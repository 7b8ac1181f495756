# SPDX-License-Identifier: Apache-2.0
"""What can be wrong: a rule a module, or a small family of them."""
