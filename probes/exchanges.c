/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exchanges: what moves them from one phase to the next.
 *
 * On an accepted connection (ROLE_SERVER) an exchange begins when data arrives (IDLE to ARRIVED),
 * goes on with its first read (SERVED), and ends with the entry of the first write after that
 * (IDLE); without probes on calls, with the end of that write. On a connected one (ROLE_CLIENT) it begins with the last write of a query (ASKED), goes on
 * with the arrival of data (ARRIVED), and ends with our read of it (IDLE).
 * Who moves its phase, and how, is in exchange_phases.c.
 */
#if WATCH_SOCKETS
/* From sk_data_ready: data has come. */
static __always_inline void exchange_arrived(struct exchange *x, u64 now)
{
  u32 slot = x->slot - 1;
  struct thread *t;
  u64 until = 0;
  if (!leave_phase(x, x->role == ROLE_CLIENT ? PHASE_ASKED : PHASE_IDLE)) {
    if (x->since_ns)
      x->last_ns = now;
    else
      x->since_ns = now;
    return;
  }
  t = threads.lookup(&slot);
  if (t)
    until = date_sums(t, x, now);
  if (t && !until)
    until = date_sums(t, x, now);
  if (!until)
    x->base_tid = 0;
  x->since_ns = until ? until : now;
  if (t && t->state == STATE_SLEEP && x->role == ROLE_SERVER && t->wanted_ns < t->since_ns &&
      (DETAIL_FULL || x->endpoint)) /* else any thread may accept it */
    t->wanted_ns = x->since_ns;
  enter_phase(x, PHASE_ARRIVED);
}

/* Whether current has been in one state since that moment, in the call that it returns from. */
static __always_inline int in_one_state_since(struct thread *t, u64 since)
{
  if (!DETAIL_FULL)
    return since >= t->moved_after_ns;
  return since >= t->call_entry_ns && t->since_ns - since <= t->call_kernel_ns &&
         !(t->call_wait_ns | t->call_runq_ns | t->call_copy_ns);
}

/* Data came while current was in the call that it returns from now, and nobody took its sums then:
 * it was in the kernel, if it never left the CPU. */
static __always_inline void exchange_arrived_in_call(struct thread *t, struct exchange *x)
{
  u64 since = x->since_ns;
  x->base_tid = 0;
  if (in_one_state_since(t, since)) {
    base_on(t, x);
    COPY_CPU_SUMS(x->at, t);
    x->at[DETAIL_FULL ? PART_KERNEL : PART_USER] -= t->since_ns - since;
  }
  enter_phase(x, PHASE_ARRIVED);
}

/* The answer to a query has been read. */
static __always_inline void query_answered(struct thread *t, struct exchange *x, struct endpoint *e,
                                           struct exchange_times *s)
{
  __sync_fetch_and_add(&e->in_flight, -1);
  if (x->arrived_ns < x->read_ns) /* its arrival was not seen */
    return;
  s->service_ns = s->queue_ns = x->arrived_ns - x->read_ns;
  s->pickup_ns = t->since_ns - x->arrived_ns;
  s->latency_ns = s->service_ns + s->pickup_ns;
  x->off_cpu = 0;
  COPY_CPU_PARTS(s->pickup, x->at);
  x->unknown = !split_parts(t, x, s->pickup, x->pickup, OFF_CPU_PICKUP, x->arrived_ns);
  s->dated = 1;
  emit_part(t, EVENT_UPSTREAM_ANSWERED, e, moved_fd(t), s->service_ns);
  emit_part(t, EVENT_UPSTREAM_READ, e, moved_fd(t), s->pickup_ns);
}

/* Current is not the thread that is known to have had the exchange, or answers overlap. */
static __always_inline void count_hand_over(struct thread *t, struct exchange *x)
{
  struct endpoint *e = endpoint_of(x);
  if (e && x->unasked)
    __sync_fetch_and_add(&e->unasked, x->unasked);
  if (e && x->base_tid && x->base_tid != t->tid)
    __sync_fetch_and_add(&e->handed_over, 1);
  t->untold += !!x->unasked;
  x->unasked = 0;
}

/* The first read of a request has ended. */
static __always_inline void request_read(struct thread *t, u32 slot, struct exchange *x)
{
  u64 from = x->accepted_ns > x->arrived_ns ? x->accepted_ns : x->arrived_ns, cpu[CPU_PARTS];
  int handed_over = x->base_tid != t->tid;
  if (unlikely(x->unasked || handed_over))
    count_hand_over(t, x);
  x->off_cpu = 0;
  COPY_CPU_PARTS(cpu, x->at);
  x->unknown = !split_parts(t, x, cpu, x->pickup, OFF_CPU_PICKUP, from);
  begin_service(t, x);
  if (x->off_cpu)
    base_on(t, x);
  if (unlikely(handed_over)) /* so that read - at is the time on a CPU there, too */
    SUBTRACT_CPU_PARTS(x->at, x->read, cpu);
  if (x->slot != slot + 1)
    x->slot = slot + 1;
  if (TIMELINE)
    emit_part(t, EVENT_EXCHANGE_READ, endpoint_of(x), moved_fd(t), t->since_ns - from);
}

/* The first read of a request that lay there when the trace began. */
static __always_inline void undated_read(struct thread *t, u32 slot, struct exchange *x)
{
  x->arrived_ns = 0;
  x->slot = slot + 1;
  base_on(t, x);
  t->taken++;
}

/* Returns whether an exchange has ended: its phase is CHANGING then. */
static __always_inline int exchange_read(struct thread *t, u32 slot, struct exchange *x,
                                         struct endpoint *e, struct exchange_times *s)
{
  if (!leave_phase(x, PHASE_ARRIVED)) {
    if (x->role == ROLE_SERVER && leave_phase(x, PHASE_IDLE)) {
      undated_read(t, slot, x);
      enter_phase(x, PHASE_SERVED);
    }
    return 0;
  }
  if (x->role == ROLE_CLIENT) {
    query_answered(t, x, e, s);
    return 1;
  }
  request_read(t, slot, x);
  enter_phase(x, PHASE_SERVED);
  return 0;
}

/* End of the stream: no answer will come. */
static __always_inline void exchange_ended(struct thread *t, struct exchange *x)
{
  struct endpoint *e;
  if (x->role == ROLE_CLIENT && (leave_phase(x, PHASE_ARRIVED) || leave_phase(x, PHASE_ASKED))) {
    e = endpoint_of(x);
    if (e)
      __sync_fetch_and_add(&e->in_flight, -1);
    if (e && x->asks && t->since_ns > x->read_ns) {
      __sync_fetch_and_add(&e->cut_off, 1);
      __sync_fetch_and_add(&e->cut_off_ns, t->since_ns - x->read_ns);
    }
    enter_phase(x, PHASE_IDLE);
  } else if (leave_phase(x, PHASE_ARRIVED)) {
    x->unasked = 0;
    enter_phase(x, PHASE_IDLE);
  }
}

/* The parts of the write itself are none of the exchange's, which ended when it was called. What the
 * parts of the call do not add up to is time that could not be accounted for. */
static __always_inline void end_at_entry(struct thread *t, struct exchange *x, u64 *cpu)
{
  u64 rest_ns = t->since_ns - t->call_entry_ns - t->call_kernel_ns - t->call_copy_ns;
  if (!DETAIL_FULL)
    return;
  cpu[PART_KERNEL] -= t->call_kernel_ns;
  cpu[PART_COPY] -= t->call_copy_ns;
  if (!rest_ns)
    return;
  if (!(x->off_cpu & OFF_CPU_SERVICE)) {
    NO_OFF_CPU_PARTS(x->service);
    x->off_cpu |= OFF_CPU_SERVICE;
  }
  x->service[PLACE(PART_RUNQ)] -= t->call_runq_ns;
  rest_ns -= t->call_runq_ns;
  if (t->call_wait_ns && t->call_class < WAITS) {
    x->service[PLACE(PART_WAIT) + t->call_class] -= t->call_wait_ns;
    rest_ns -= t->call_wait_ns;
  }
  x->service[PLACE(PART_UNACCOUNTED)] -= rest_ns;
}

/* The first write of an answer. The connection stays with who reads from it: a loop that has others
 * answer is the first to have the next request, too. */
static __always_inline void exchange_answered(struct thread *t, u32 slot, struct exchange *x,
                                              struct endpoint *e, struct exchange_times *s)
{
  u64 end = written_ns(t);
  if (likely(x->slot == slot + 1)) {
    t->answered++;
  } else {
    take_from_reader(x);
    t->untold++;
  }
  if (!x->arrived_ns || end < x->read_ns) {
    __sync_fetch_and_add(&e->undated, 1);
    x->arrived_ns = 0;
    return;
  }
  s->latency_ns = end - x->arrived_ns;
  s->service_ns = end - x->read_ns;
  if (x->accepted_ns > x->arrived_ns)
    s->queue_ns = x->accepted_ns - x->arrived_ns;
  s->pickup_ns = s->latency_ns - s->service_ns - s->queue_ns;
  SUBTRACT_CPU_PARTS(s->pickup, x->read, x->at);
  COPY_CPU_PARTS(s->service, x->read);
  x->unknown |= !split_parts(t, x, s->service, x->service, OFF_CPU_SERVICE, x->read_ns);
  end_at_entry(t, x, s->service);
  s->dated = 1;
  emit_part(t, EVENT_EXCHANGE_ANSWERED, e, moved_fd(t), s->service_ns);
}

/* Its phase is CHANGING: s tells what it adds. */
static __always_inline void end_exchange(struct thread *t, struct exchange *x, struct endpoint *e,
                                         const struct exchange_times *s)
{
  if (s->dated)
    account_exchange(t, x, e, s);
  if (s->dated && x->role == ROLE_SERVER)
    add_last_byte(x, e, t->since_ns);
  enter_phase(x, PHASE_IDLE);
  /* The next request lies there already? */
  if (x->role == ROLE_SERVER && x->since_ns && leave_phase(x, PHASE_IDLE))
    exchange_arrived_in_call(t, x);
}

static __always_inline void query_written(struct thread *t, u32 slot, struct exchange *x,
                                          struct endpoint *e, s64 bytes)
{
  u64 waiting;
  if (leave_phase(x, PHASE_IDLE)) {
    waiting = fetch_and_add(&e->in_flight, 1) + 1;
    if (waiting > e->in_flight_max)
      atomic_max(&e->in_flight_max, waiting);
    x->asks = 0;
  } else if (!leave_phase(x, PHASE_ASKED)) {
    return; /* a query behind an answer that nobody has read */
  }
  if (bytes > FAREWELL_BYTES)
    x->asks = 1;
  x->read_ns = written_ns(t);
  x->slot = slot + 1;
  if (x->since_ns > moved_after_ns(t)) { /* the answer was there before the write returned */
    if (x->read_ns > x->since_ns)
      x->read_ns = x->since_ns;
    exchange_arrived_in_call(t, x);
  } else {
    enter_phase(x, PHASE_ASKED);
  }
}

/* As exchange_read(). */
static __always_inline int exchange_written(struct thread *t, u32 slot, struct exchange *x,
                                            struct endpoint *e, struct exchange_times *s, s64 bytes)
{
  if (x->role == ROLE_CLIENT) {
    query_written(t, slot, x, e, bytes);
  } else if (leave_phase(x, PHASE_SERVED)) {
    exchange_answered(t, slot, x, e, s);
    if (e->handed_over || x->slot != slot + 1 || (!DETAIL_FULL && t->pooled)) /* for the next request */
      note_free(t, t->since_ns);
    return 1;
  } else if (x->phase == PHASE_ARRIVED) {
    x->unasked++;
  } else if (x->phase == PHASE_IDLE && x->last_bucket) {
    add_last_byte(x, e, t->since_ns);
  }
  return 0;
}
#else
static __always_inline void exchange_arrived(struct exchange *x, u64 now)
{
}
#endif
