/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exchanges: what moves them from one phase to the next.
 *
 * On an accepted connection (ROLE_SERVER) an exchange begins when data arrives (IDLE to ARRIVED),
 * goes on with its first read (SERVED), and ends with the entry of the first write after that
 * (IDLE). On a connected one (ROLE_CLIENT) it begins with the last write of a query (ASKED), goes on
 * with the arrival of data (ARRIVED), and ends with our read of it (IDLE).
 *
 * The thread that has the connection and the softirq that brings data write to the same record:
 * who moves its phase owns it until then, and it is CHANGING meanwhile.
 */
#if DETAIL_FULL
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

/* From sk_data_ready: data has come. */
static __always_inline void exchange_arrived(struct exchange *x, u32 role, u64 now)
{
  u32 slot = x->slot - 1;
  struct thread *t;
  u64 until = 0;
  if (!leave_phase(x, role == ROLE_CLIENT ? PHASE_ASKED : PHASE_IDLE)) {
    x->last_ns = now;
    if (!x->unread_ns)
      x->unread_ns = now;
    return;
  }
  t = threads.lookup(&slot);
  if (t) {
    until = read_sums(t, x->at, now);
    if (!until)
      until = read_sums(t, x->at, now);
  }
  x->at_tid = until && t ? t->tid : 0;
  x->at_accept = 0;
  x->arrived_ns = until ? until : now;
  enter_phase(x, PHASE_ARRIVED);
}

/* Data came while current was in the call that it returns from now, and nobody took its sums then:
 * it was in the kernel, if it never left the CPU. */
static __always_inline void exchange_arrived_in_call(struct thread *t, struct exchange *x)
{
  u64 since = x->unread_ns, in_call = t->since_ns - since;
  x->unread_ns = 0;
  x->arrived_ns = since;
  x->at_tid = x->at_accept = 0;
  if (since >= t->call_entry_ns && in_call <= t->call_kernel_ns &&
      !(t->call_wait_ns | t->call_runq_ns | t->call_copy_ns)) {
    COPY_SUMS(x->at, t);
    x->at[PART_KERNEL] -= in_call;
    x->at_tid = t->tid;
  }
  enter_phase(x, PHASE_ARRIVED);
}

/* What the read has left unread. */
static __always_inline void data_taken(struct thread *t, struct exchange *x, s64 bytes)
{
  u64 taken = t->call_first_copy_ns ? t->call_first_copy_ns : t->since_ns;
  if (!x->unread_ns || (t->call_size && bytes >= (s64)t->call_size && queued_on(x->sock)))
    return;
  x->unread_ns = x->last_ns > taken ? x->last_ns : 0;
}

/* The answer to a query has been read. */
static __always_inline void query_answered(struct thread *t, struct exchange *x)
{
  struct endpoint *e = endpoint_of(x);
  struct exchange_times s = {};
  if (!e)
    return;
  __sync_fetch_and_add(&e->in_flight, -1);
  s.service_ns = s.queue_ns = x->arrived_ns - x->read_ns;
  s.pickup_ns = t->since_ns - x->arrived_ns;
  s.latency_ns = s.service_ns + s.pickup_ns;
  x->unknown = !split_parts(t, x->pickup, x->at, x->at_tid, x->arrived_ns);
  account_exchange(t, x, e, &s);
  emit_part(t, EVENT_UPSTREAM_ANSWERED, e, t->call_fd, s.service_ns);
  emit_part(t, EVENT_UPSTREAM_READ, e, t->call_fd, s.pickup_ns);
}

static __always_inline void exchange_read(struct thread *t, u32 slot, struct exchange *x, s64 bytes)
{
  struct endpoint *e;
  u64 from;
  data_taken(t, x, bytes);
  if (!leave_phase(x, PHASE_ARRIVED)) {
    if (x->role == ROLE_SERVER && leave_phase(x, PHASE_IDLE)) {
      x->arrived_ns = 0; /* it lay there when the trace began */
      enter_phase(x, PHASE_SERVED);
    }
    return;
  }
  if (x->role == ROLE_CLIENT) {
    query_answered(t, x);
    enter_phase(x, PHASE_IDLE);
    return;
  }
  from = x->accepted_ns > x->arrived_ns ? x->accepted_ns : x->arrived_ns;
  if (x->at_accept != (from != x->arrived_ns)) /* it arrived just when it was accepted */
    x->at_tid = 0;
  if (unlikely(x->unasked || x->at_tid != t->tid)) {
    e = endpoint_of(x);
    if (e && x->unasked)
      __sync_fetch_and_add(&e->unasked, x->unasked);
    if (e && x->at_tid && x->at_tid != t->tid)
      __sync_fetch_and_add(&e->handed_over, 1);
    x->unasked = 0;
  }
  x->unknown = !split_parts(t, x->pickup, x->at, x->at_tid, from);
  if (x->slot != slot + 1)
    x->slot = slot + 1;
  x->at_tid = t->tid;
  x->read_ns = t->since_ns;
  x->last_bucket = 0;
  COPY_SUMS(x->service, t);
  enter_phase(x, PHASE_SERVED);
  if (TIMELINE)
    emit_part(t, EVENT_EXCHANGE_READ, endpoint_of(x), t->call_fd, t->since_ns - from);
}

/* End of the stream: no answer will come. */
static __always_inline void exchange_ended(struct exchange *x)
{
  struct endpoint *e;
  if (x->role == ROLE_CLIENT && (leave_phase(x, PHASE_ARRIVED) || leave_phase(x, PHASE_ASKED))) {
    e = endpoint_of(x);
    if (e)
      __sync_fetch_and_add(&e->in_flight, -1);
    enter_phase(x, PHASE_IDLE);
  } else if (leave_phase(x, PHASE_ARRIVED)) {
    x->unasked = 0;
    enter_phase(x, PHASE_IDLE);
  }
}

/* The parts of the write itself are none of the exchange's, which ended when it was called. What the
 * parts of the call do not add up to is time that could not be accounted for. */
static __always_inline void end_at_entry(struct thread *t, u64 *parts)
{
  u64 call_ns = t->since_ns - t->call_entry_ns;
  parts[PART_KERNEL] -= t->call_kernel_ns;
  parts[PART_COPY] -= t->call_copy_ns;
  parts[PART_RUNQ] -= t->call_runq_ns;
  call_ns -= t->call_kernel_ns + t->call_copy_ns + t->call_runq_ns;
  if (t->call_wait_ns && t->call_class < WAITS) {
    parts[PART_WAIT + t->call_class] -= t->call_wait_ns;
    call_ns -= t->call_wait_ns;
  }
  parts[PART_UNACCOUNTED] -= call_ns;
}

/* The first write of an answer. */
static __always_inline void exchange_answered(struct thread *t, struct exchange *x)
{
  struct endpoint *e = endpoint_of(x);
  u64 end = t->call_entry_ns;
  struct exchange_times s = {};
  if (!e)
    return;
  if (!x->arrived_ns || end < x->read_ns) {
    __sync_fetch_and_add(&e->undated, 1);
    x->arrived_ns = 0;
    return;
  }
  s.latency_ns = end - x->arrived_ns;
  s.service_ns = end - x->read_ns;
  if (x->accepted_ns > x->arrived_ns)
    s.queue_ns = x->accepted_ns - x->arrived_ns;
  s.pickup_ns = s.latency_ns - s.service_ns - s.queue_ns;
  x->unknown |= !split_parts(t, x->service, x->service, x->at_tid, x->read_ns);
  end_at_entry(t, x->service);
  account_exchange(t, x, e, &s);
  add_last_byte(x, e, t->since_ns);
  emit_part(t, EVENT_EXCHANGE_ANSWERED, e, t->call_fd, s.service_ns);
  if (e->handed_over) { /* who reads the next request may have to know */
    COPY_SUMS(t->free_at, t);
    t->free_ns = t->since_ns;
  }
}

static __always_inline void query_written(struct thread *t, u32 slot, struct exchange *x)
{
  struct endpoint *e;
  u64 waiting;
  if (leave_phase(x, PHASE_IDLE)) {
    e = endpoint_of(x);
    if (e) {
      waiting = fetch_and_add(&e->in_flight, 1) + 1;
      if (waiting > e->in_flight_max)
        atomic_max(&e->in_flight_max, waiting);
    }
  } else if (!leave_phase(x, PHASE_ASKED)) {
    return; /* a query behind an answer that nobody has read */
  }
  x->read_ns = t->call_entry_ns;
  x->slot = slot + 1;
  if (x->unread_ns > x->read_ns) /* the answer was there before the write returned */
    exchange_arrived_in_call(t, x);
  else
    enter_phase(x, PHASE_ASKED);
}

static __always_inline void exchange_written(struct thread *t, u32 slot, struct exchange *x)
{
  struct endpoint *e;
  if (x->role == ROLE_CLIENT) {
    query_written(t, slot, x);
    return;
  }
  if (leave_phase(x, PHASE_SERVED)) {
    exchange_answered(t, x);
    x->slot = slot + 1;
    enter_phase(x, PHASE_IDLE);
    if (x->unread_ns && leave_phase(x, PHASE_IDLE)) /* the next request lies there already */
      exchange_arrived_in_call(t, x);
  } else if (x->phase == PHASE_ARRIVED) {
    x->unasked++;
  } else if (x->phase == PHASE_IDLE && x->last_bucket) {
    e = endpoint_of(x);
    if (e)
      add_last_byte(x, e, t->since_ns);
  }
}
#else
static __always_inline void exchange_arrived(struct exchange *x, u32 role, u64 now)
{
}
#endif
