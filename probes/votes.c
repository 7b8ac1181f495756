/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was seen most of the time, in the room of one candidate. */

/* Boyer and Moore's majority vote on a function (place), because the last sample may be past what
 * takes the time, and among its samples on a stack, because one of them may be on another line. A
 * place that was seen once is no more than a hint: it replaces no stack. Returns whether the stack
 * that was just seen is kept from now on. */
static __always_inline int vote(u64 *place, u32 *votes, u64 *stack, u32 *stack_votes,
                                u64 seen_place, u64 seen_stack)
{
  if (*place != seen_place) {
    if (*votes) {
      (*votes)--;
      return 0;
    }
    *place = seen_place;
    *votes = 1;
    *stack_votes = 0;
    if (*stack)
      return 0;
  } else {
    (*votes)++;
  }
  if (*stack == seen_stack) {
    (*stack_votes)++;
    return 0;
  }
  if (*stack_votes) {
    (*stack_votes)--;
    return 0;
  }
  *stack = seen_stack;
  *stack_votes = 1;
  return 1;
}
