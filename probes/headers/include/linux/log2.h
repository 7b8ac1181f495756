/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define roundup_pow_of_two(n) \
  ((n) <= 1 ? 1UL : 1UL << (64 - __builtin_clzl((unsigned long)(n) - 1)))
