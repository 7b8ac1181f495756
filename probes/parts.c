/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a thread does between two moments: the difference of its sums. */
#if WATCH_SOCKETS
/* Parts: the thread's sums - from. */
#define SUBTRACT_OFF_CPU_SUMS(to, t, from)                                                 \
  do {                                                                                      \
    (to)[PLACE(PART_RUNQ)] = (t)->runq_ns - (from)[PLACE(PART_RUNQ)];                       \
    (to)[PLACE(PART_UNACCOUNTED)] = (t)->unaccounted_ns - (from)[PLACE(PART_UNACCOUNTED)];  \
    _Pragma("unroll") for (int i_ = 0; i_ < WAITS; i_++)                                    \
      (to)[PLACE(PART_WAIT + i_)] = (t)->wait_ns[i_] - (from)[PLACE(PART_WAIT + i_)];       \
    (to)[PLACE(PART_ELSEWHERE)] = 0;                                                        \
  } while (0)

#define SUBTRACT_CPU_SUMS(to, t, from)                            \
  do {                                                             \
    (to)[PART_USER] = (t)->user_ns - (from)[PART_USER];             \
    (to)[PART_KERNEL] = (t)->kernel_ns - (from)[PART_KERNEL];       \
    (to)[PART_COPY] = (t)->copy_ns - (from)[PART_COPY];             \
  } while (0)

#define COPY_CPU_PARTS(to, from)                               \
  do {                                                     \
    _Pragma("unroll") for (int i_ = 0; i_ < CPU_PARTS; i_++) \
      (to)[i_] = (from)[i_];                               \
  } while (0)

#define SUBTRACT_CPU_PARTS(to, one, other)                     \
  do {                                                     \
    _Pragma("unroll") for (int i_ = 0; i_ < CPU_PARTS; i_++) \
      (to)[i_] = (one)[i_] - (other)[i_];                  \
  } while (0)

#define NO_OFF_CPU_PARTS(to)                                    \
  do {                                                           \
    _Pragma("unroll") for (int i_ = 0; i_ < OFF_CPU_PARTS; i_++) \
      (to)[i_] = 0;                                              \
  } while (0)

/* Current's sums now are those that the next part begins with. */
static __always_inline void base_on(struct thread *t, struct exchange *x)
{
  COPY_OFF_CPU_SUMS(x->base, t);
  x->base_charges = t->charges;
  x->base_tid = t->tid;
  if (!HAVE_WAKING)
    x->asleep_ns = 0;
}

/* A wait reason as a place in an array. The verifier of Linux 6.8 forgets what was checked of a number
 * that clang keeps on the stack; a mask it remembers. clang, not seeing through this, keeps the mask. */
static __always_inline u64 wait_place(u8 class)
{
  u64 place = class & (WAIT_CLASSES - 1);
  asm volatile("" : "+r"(place));
  return place;
}

/* The time since the thread's last charge, to what it was doing; as snapshot/in_flight.py. */
static __always_inline void add_in_flight(struct exchange *x, u8 state, u8 class, s64 asleep,
                                          s64 rest)
{
  u64 place = wait_place(class);
  if (state == STATE_USER || state == STATE_UNKNOWN)
    x->at[PART_USER] += rest;
  else if (state == STATE_KERNEL)
    x->at[PART_KERNEL] += rest;
  else if (state == STATE_COPY)
    x->at[PART_COPY] += rest;
  else
    x->base[PLACE(PART_RUNQ)] += rest;
  if (asleep && place < WAITS)
    x->base[PLACE(PART_WAIT) + place] += asleep;
}

/* Take the sums of any thread at `now`, on whatever CPU. Returns the moment up to which they are:
 * a little later where the thread was charged since. 0: its record was being written. */
static __always_inline u64 date_sums(struct thread *t, struct exchange *x, u64 now)
{
  u32 seq = *(volatile u32 *)&t->seq, tid, charges;
  u64 since, woken = 0, slept_ns = 0;
  u32 sleeps = 0;
  s64 ns, asleep = 0;
  u8 state, class = 0;
  if (seq & 1)
    return 0;
  store_barrier();
  COPY_CPU_SUMS(x->at, t);
  since = t->since_ns;
  state = t->state;
  tid = t->tid;
  charges = t->charges;
  /* What an exchange has taken of a thread that was off the CPU holds its time in flight, too. */
  if (state > STATE_COPY || tid != x->base_tid || charges != x->base_charges) {
    COPY_OFF_CPU_SUMS(x->base, t);
    woken = t->woken_ns;
    class = t->sleep_class;
  }
  if (!HAVE_WAKING) {
    slept_ns = t->slept_ns;
    sleeps = t->sleeps;
  }
  store_barrier();
  x->base_tid = 0;
  if (*(volatile u32 *)&t->seq != seq || state == STATE_DEAD)
    return 0;
  x->base_tid = tid;
  x->base_charges = charges;
  if (!HAVE_WAKING) {
    x->asleep_ns = slept_ns;
    x->asleep_class = class;
    x->asleep_number = sleeps;
  }
  ns = now - since;
  if (ns <= 0)
    return since;
  if (state == STATE_SLEEP) {
    asleep = ns;
    if (woken > since && woken < now)
      asleep = woken - since;
    if (!HAVE_WAKING)
      x->asleep_ns = asleep;
  }
  add_in_flight(x, state, class, asleep, ns - asleep);
  return now;
}

/* What was taken of a thread that slept holds time in which it was in a run queue already. */
static __always_inline void split_base(struct thread *t, struct exchange *x)
{
  u16 number = x->asleep_number, later = (u16)t->sleeps - number;
  u64 place = wait_place(x->asleep_class);
  s64 ready;
  if (HAVE_WAKING || !x->asleep_ns)
    return;
  ready = x->asleep_ns - t->sleeps_ns[number & (SLEEPS_KEPT - 1)];
  x->asleep_ns = 0;
  if (!later || later > SLEEPS_KEPT || ready <= 0)
    return;
  if (place < WAITS)
    x->base[PLACE(PART_WAIT) + place] -= ready;
  x->base[PLACE(PART_RUNQ)] += ready;
}

#if DETAIL_SOCKETS
/* Current is not known to have had the exchange before it was last given a CPU, or had its last socket. */
static __always_inline int split_at_call(struct thread *t, u64 *cpu, u64 *off_cpu, u64 from)
{
  u64 began = t->moved_after_ns > from ? t->moved_after_ns : from, ns = t->since_ns - began;
  NO_OFF_CPU_PARTS(off_cpu);
  off_cpu[PLACE(PART_ELSEWHERE)] = began - from;
  cpu[PART_KERNEL] = 0;
  cpu[PART_COPY] = t->moved_copy_ns < ns ? t->moved_copy_ns : ns;
  cpu[PART_USER] = ns - cpu[PART_COPY];
  return in_hand(t) <= 0;
}
#else
/* Until its read was called nobody is known to have had the exchange; the parts of that call are known.
 * Returns 0 where the data came in a call that left the CPU, or another exchange is in hand. */
static __always_inline int split_at_call(struct thread *t, u64 *cpu, u64 *off_cpu, u64 from)
{
  s64 before = t->call_entry_ns - from;
  u64 ns = t->since_ns - from;
  NO_OFF_CPU_PARTS(off_cpu);
  cpu[PART_USER] = cpu[PART_KERNEL] = cpu[PART_COPY] = 0;
  if (before < 0 && (t->call_wait_ns | t->call_runq_ns || t->call_copy_ns > ns)) {
    off_cpu[PLACE(PART_ELSEWHERE)] = ns;
    return 0;
  }
  if (before < 0) {
    cpu[PART_KERNEL] = ns - t->call_copy_ns;
    cpu[PART_COPY] = t->call_copy_ns;
    return in_hand(t) <= 0;
  }
  cpu[PART_KERNEL] = t->call_kernel_ns;
  cpu[PART_COPY] = t->call_copy_ns;
  off_cpu[PLACE(PART_RUNQ)] = t->call_runq_ns;
  off_cpu[PLACE(PART_ELSEWHERE)] = ns - t->call_kernel_ns - t->call_copy_ns - t->call_runq_ns;
  return in_hand(t) <= 0;
}
#endif

/* The exchange was with another thread, or with none, before current. It came into current's hands when
 * current was last free, if that was after `from`. */
static __always_inline int split_handed_over(struct thread *t, u64 *cpu, u64 *off_cpu, u64 from)
{
  u64 free_ns = t->free_ns ? t->free_ns : t->started_ns;
  t->pooled = 1;
  if (free_ns < from)
    return split_at_call(t, cpu, off_cpu, from);
  SUBTRACT_OFF_CPU_SUMS(off_cpu, t, t->free_at + CPU_PARTS);
  off_cpu[PLACE(PART_ELSEWHERE)] = free_ns - from;
  SUBTRACT_CPU_SUMS(cpu, t, t->free_at);
  return 1;
}

/* What current did from `from` until its sums were last charged. cpu: its sums at `from`, of which
 * the parts are made. off_cpu: the other parts; x->off_cpu has the flag where there are any. Returns
 * whether the split is known. */
static __always_inline int split_parts(struct thread *t, struct exchange *x, u64 *cpu, u64 *off_cpu,
                                       u8 flag, u64 from)
{
  if (unlikely(x->base_tid != t->tid)) {
    x->off_cpu |= flag;
    return split_handed_over(t, cpu, off_cpu, from);
  }
  SUBTRACT_CPU_SUMS(cpu, t, cpu);
  if (t->charges != x->base_charges) {
    split_base(t, x);
    SUBTRACT_OFF_CPU_SUMS(off_cpu, t, x->base);
    x->off_cpu |= flag;
  }
  return 1;
}
#endif
