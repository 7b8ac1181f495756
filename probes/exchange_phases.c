/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exchanges: who moves one from phase to phase, and the short way through a request's first read.
 *
 * The thread that has the connection and the softirq that brings data write to the same record:
 * who moves its phase owns it until then, and it is CHANGING meanwhile. exchanges.c has the rest.
 */
#if WATCH_SOCKETS
/* The call that has moved data. Full detail knows when it was called, sockets detail only when it ended,
 * and since when current was in one state. */
static __always_inline u32 moved_descriptor(struct thread *t)
{
  return DETAIL_FULL ? t->call_descriptor : t->moved_descriptor;
}

static __always_inline s32 moved_fd(struct thread *t)
{
  return DETAIL_FULL ? t->call_fd : t->moved_fd;
}

static __always_inline u32 moved_flags(struct thread *t)
{
  return DETAIL_FULL ? t->call_flags : t->moved_flags;
}

static __always_inline u64 moved_after_ns(struct thread *t)
{
  return DETAIL_FULL ? t->call_entry_ns : t->moved_after_ns;
}

/* When the answer or the query that it has written counts as written. */
static __always_inline u64 written_ns(struct thread *t)
{
  return DETAIL_FULL ? t->call_entry_ns : t->since_ns;
}

static __always_inline int leave_phase(struct exchange *x, u64 phase)
{
  return x->phase == phase &&
         __sync_val_compare_and_swap(&x->phase, phase, PHASE_CHANGING) == phase;
}

static __always_inline void enter_phase(struct exchange *x, u64 phase)
{
  store_barrier();
  *(volatile u64 *)&x->phase = phase;
}

/* Current has read a request: from here on it is served. */
static __always_inline void begin_service(struct thread *t, struct exchange *x)
{
  COPY_CPU_SUMS(x->read, t);
  x->read_ns = t->since_ns;
  x->last_bucket = 0;
  t->taken++;
}

/* Data was read off a connection. If it is a request that current had from its arrival on, and it kept
 * its CPU since, nothing else is to be done; on_exchange does what remains in other cases. An atomic
 * operation would wait here for the line that another CPU has just written. Without one, a second thread
 * that reads the same connection at the same moment may be noted as a reader, too. */
static __always_inline void take_arrival(struct thread *t, struct exchange *x)
{
  if (*(volatile u64 *)&x->phase != PHASE_ARRIVED)
    return;
  x->arrived_ns = x->since_ns;
  if (TIMELINE || x->role != ROLE_SERVER || x->base_tid != t->tid ||
      x->base_charges != t->charges || x->unasked || !x->endpoint)
    return;
  x->off_cpu = x->unknown = 0;
  begin_service(t, x);
  t->call_settled = 1;
  enter_phase(x, PHASE_SERVED);
}
#else
static __always_inline void take_arrival(struct thread *t, struct exchange *x)
{
}
#endif
