/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a thread does between two moments: the difference of its sums. */
#if DETAIL_FULL
#define COPY_SUMS(to, t)                                      \
  do {                                                         \
    (to)[PART_USER] = (t)->user_ns;                            \
    (to)[PART_KERNEL] = (t)->kernel_ns;                        \
    (to)[PART_COPY] = (t)->copy_ns;                            \
    (to)[PART_RUNQ] = (t)->runq_ns;                            \
    (to)[PART_UNACCOUNTED] = (t)->unaccounted_ns;              \
    _Pragma("unroll") for (int i_ = 0; i_ < WAITS; i_++)       \
      (to)[PART_WAIT + i_] = (t)->wait_ns[i_];                 \
  } while (0)

/* Parts: the thread's sums - from. */
#define SUBTRACT_SUMS(to, t, from)                                          \
  do {                                                                       \
    (to)[PART_USER] = (t)->user_ns - (from)[PART_USER];                      \
    (to)[PART_KERNEL] = (t)->kernel_ns - (from)[PART_KERNEL];                \
    (to)[PART_COPY] = (t)->copy_ns - (from)[PART_COPY];                      \
    (to)[PART_RUNQ] = (t)->runq_ns - (from)[PART_RUNQ];                      \
    (to)[PART_UNACCOUNTED] = (t)->unaccounted_ns - (from)[PART_UNACCOUNTED]; \
    _Pragma("unroll") for (int i_ = 0; i_ < WAITS; i_++)                     \
      (to)[PART_WAIT + i_] = (t)->wait_ns[i_] - (from)[PART_WAIT + i_];      \
    (to)[PART_ELSEWHERE] = 0;                                                \
  } while (0)

/* The time since the thread's last charge, to what it was doing; as snapshot/in_flight.py. */
static __always_inline void add_in_flight(u64 *sums, u8 state, u8 class, s64 asleep, s64 rest)
{
  if (state == STATE_USER || state == STATE_UNKNOWN)
    sums[PART_USER] += rest;
  else if (state == STATE_KERNEL)
    sums[PART_KERNEL] += rest;
  else if (state == STATE_COPY)
    sums[PART_COPY] += rest;
  else
    sums[PART_RUNQ] += rest;
  if (asleep && class < WAITS)
    sums[PART_WAIT + class] += asleep;
}

/* The sums of any thread at `now`, by whoever asks on whatever CPU. Returns the moment up to which
 * they are: a hair later where the thread was charged since. 0: its record was being written. */
static __always_inline u64 read_sums(struct thread *t, u64 *sums, u64 now)
{
  u32 seq = *(volatile u32 *)&t->seq;
  u64 since, woken;
  s64 ns, asleep = 0;
  u8 state, class;
  if (seq & 1)
    return 0;
  store_barrier();
  COPY_SUMS(sums, t);
  since = t->since_ns;
  woken = t->woken_ns;
  state = t->state;
  class = t->sleep_class;
  store_barrier();
  if (*(volatile u32 *)&t->seq != seq || state == STATE_DEAD)
    return 0;
  ns = now - since;
  if (ns <= 0)
    return since;
  if (state == STATE_SLEEP) {
    asleep = ns;
    if (woken > since && woken < now)
      asleep = woken - since;
  }
  add_in_flight(sums, state, class, asleep, ns - asleep);
  return now;
}

/* It was idle when the data arrived, most likely in what it has waited longest for since it was
 * free: what is left of that wait after the arrival is until another thread handed the work over. */
static __always_inline int split_hand_over(struct thread *t, u64 *parts, u64 idle)
{
  u64 most = 0;
  u32 longest = 0;
  SUBTRACT_SUMS(parts, t, t->free_at);
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < WAITS; i++)
    if (parts[PART_WAIT + i] > most) {
      most = parts[PART_WAIT + i];
      longest = i;
    }
  longest = unbounded(t, longest);
  if (most < idle || longest >= WAITS)
    return 0;
  parts[PART_WAIT + longest] = 0;
  parts[PART_ELSEWHERE] = most - idle;
  return 1;
}

/* What current did from `from` until its sums were last charged, into parts. at: its sums at `from`,
 * if tid says that they are its own; else there are those of when it was last free, or began.
 * Returns 0 where the split is not known. */
static __always_inline int split_parts(struct thread *t, u64 *parts, u64 *at, u32 tid, u64 from)
{
  u64 free_ns = t->free_ns ? t->free_ns : t->started_ns;
  if (tid == t->tid) {
    SUBTRACT_SUMS(parts, t, at);
    return 1;
  }
  if (free_ns >= from) { /* it was not there yet, or at work on another exchange */
    SUBTRACT_SUMS(parts, t, t->free_at);
    parts[PART_ELSEWHERE] = free_ns - from;
    return 1;
  }
  if (split_hand_over(t, parts, from - free_ns))
    return 1;
#pragma unroll
  for (int i = 0; i < PARTS; i++)
    parts[i] = 0;
  parts[PART_ELSEWHERE] = t->since_ns - from;
  return 0;
}
#endif
