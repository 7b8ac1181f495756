/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The votes on what stalls a loop, for test_votes.py. */
#define __always_inline inline
typedef unsigned int u32;
typedef unsigned long long u64;
#include "votes.c"

/* The stack that is kept after all samples; how often it was kept anew is added to changes. */
u64 elected(const u64 *places, const u64 *stacks, u32 samples, u32 *changes)
{
  u64 place = 0, stack = 0;
  u32 votes = 0, stack_votes = 0;
  for (u32 i = 0; i < samples; i++)
    *changes += vote(&place, &votes, &stack, &stack_votes, places[i], stacks[i]);
  return stack;
}
