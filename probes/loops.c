/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Multiplexers. A loop iteration lasts from a return of the multiplexer to the thread's next call
 * of it; without probes on system calls from a sleep in it to the next one (sleeps.c). */
#define SELECT_WORDS 16 /* FD_SETSIZE / 64 (glibc) */

static __always_inline int allocate_loop(u32 *index)
{
  if (next_unused(COUNTER_LOOPS, MAX_LOOPS, index))
    return 1;
  return free_loops.pop(index) == 0;
}

static __always_inline struct loop *loop_of(struct thread *t, u32 slot, u32 nr)
{
  u32 index = t->loops[t->call_loop & (LOOP_KINDS - 1)];
  struct loop *l;
  if (index) {
    index--;
    return loops.lookup(&index);
  }
  if (!allocate_loop(&index)) {
    count(COUNTER_LOST_LOOPS);
    return NULL;
  }
  t->loops[t->call_loop & (LOOP_KINDS - 1)] = index + 1;
  l = loops.lookup(&index);
  if (l) {
    update_begin(&l->seq);
    l->slot = slot;
    l->nr = nr;
    update_end(&l->seq);
  }
  return l;
}

static __always_inline u32 ones(u64 v)
{
  v = v - ((v >> 1) & 0x5555555555555555ULL);
  v = (v & 0x3333333333333333ULL) + ((v >> 2) & 0x3333333333333333ULL);
  v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
  return (v * 0x0101010101010101ULL) >> 56;
}

/* Descriptors in select's read and write sets. Sampled, because every word has to be read. */
static __always_inline u64 selected(u64 nfds, u64 read_set, u64 write_set)
{
  u64 total = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < SELECT_WORDS; i++) {
    u64 in = 0, out = 0;
    if (64 * i >= (s64)nfds)
      break;
    if (read_set)
      read_user_memory(&in, sizeof(in), (void *)(read_set + 8 * i));
    if (write_set)
      read_user_memory(&out, sizeof(out), (void *)(write_set + 8 * i));
    total += ones(in | out);
  }
  return total;
}

/* The Python stacks of an iteration (stalls.c): a new one has none yet. */
static __always_inline void clear_stacks(struct loop *l)
{
  l->cpu_stack = l->cpu_place = l->cpu_votes = l->cpu_stack_votes = 0;
  l->call_stack = l->call_stack_ns = 0;
  l->iteration_samples = l->iteration_collecting = 0;
}

static __always_inline u64 cpu_ns(struct thread *t)
{
  return t->user_ns + t->kernel_ns + t->copy_ns;
}

/* The iteration was longer than STALL_NS: add what it spent its time on. */
static __always_inline void loop_stalled(struct thread *t, struct loop *l, u64 busy)
{
  l->stalls++;
  l->stall_ns += busy;
  l->stall_cpu_ns += cpu_ns(t) - l->cpu_at_return_ns;
  l->stall_runq_ns += t->runq_ns - l->runq_at_return_ns;
  if (!l->iteration_waited)
    return;
#pragma clang loop unroll(disable)
  for (int i = 0; i < WAIT_CLASSES; i++)
    l->stall_wait_ns[i] += l->iteration_wait_ns[i];
  if (l->iteration_call_ns > l->stall_call_ns) {
    l->stall_call_ns = l->iteration_call_ns;
    l->stall_call_nr = l->iteration_call_nr;
    l->stall_call_fd = l->iteration_call_fd;
    l->stall_call_kind = l->iteration_call_kind;
  }
}

/* The thread is back at its multiplexer: one iteration has ended. */
static __always_inline void loop_iterated(struct thread *t, struct loop *l, u64 now)
{
  u64 busy = now > l->returned_ns ? now - l->returned_ns : 0;
  u32 bucket = bucket_of(t, busy);
  l->busy_sum_ns += busy;
  if (busy > l->busy_max_ns)
    l->busy_max_ns = busy;
  if (bucket < HISTOGRAM_BUCKETS)
    l->busy[bucket]++;
  if (t->accepted == l->accepted_at_return) {
    if (t->moved_data != l->data_at_return)
      l->data_iterations++;
    else if (l->last_ready && t->moved_other == l->other_at_return)
      l->unserved++;
  }
  if (busy > STALL_NS) {
    loop_stalled(t, l, busy);
    t->stalled_ns = busy;
  }
  l->returned_ns = 0;
}

/* A call inside an iteration has slept. Called inside an update of the loop's thread. */
static __always_inline void loop_waited(struct thread *t)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  if (!l || !l->returned_ns)
    return;
  update_begin(&l->seq);
  l->iteration_waited = 1;
  l->iteration_wait_ns[t->call_class & (WAIT_CLASSES - 1)] += t->call_wait_ns;
  if (t->call_wait_ns > l->iteration_call_ns) {
    l->iteration_call_ns = t->call_wait_ns;
    l->iteration_call_nr = t->call_nr;
    l->iteration_call_fd = t->call_fd;
    l->iteration_call_kind = t->call_kind;
  }
  update_end(&l->seq);
}

/* A connection is read before the multiplexer could say that it has data. */
static __always_inline void loop_read_eagerly(struct thread *t)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  t->accepted_fd = 0;
  if (!l)
    return;
  update_begin(&l->seq);
  l->eager_reads++;
  update_end(&l->seq);
}

static __always_inline void loop_enter(struct thread *t, u32 slot, u16 flags,
                                       struct arguments *args, u64 now)
{
  struct loop *l = loop_of(t, slot, t->call_nr);
  if (!l)
    return;
  update_begin(&l->seq);
  if (l->returned_ns)
    loop_iterated(t, l, now);
  if (t->call_nfds > l->nfds_max)
    l->nfds_max = t->call_nfds;
  if (flags & CALL_FD_SETS) {
    if (l->iterations < 64 || !(l->iterations & 63)) {
      u64 watched = selected(t->call_nfds, argument(args, ARGUMENT_1), argument(args, ARGUMENT_2));
      if (watched > l->watched)
        l->watched = watched;
    }
  } else if (t->call_nfds) {
    l->watched = l->nfds_max;
  } else {
    l->epoll_fd = argument(args, ARGUMENT_0);
  }
  update_end(&l->seq);
}

/* Whether a poll of one descriptor is part of an iteration of an event loop (a timeout around a
 * call) rather than a multiplexer. The loop's own call may be down to one descriptor: that is
 * none. */
static __always_inline int within_iteration(struct thread *t)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  return l && l->nfds_max != 1 && (l->nr != t->call_nr || t->call_zero_timeout);
}

/* A poll of one descriptor alone has slept: add that to the descriptor, if it has a record
 * already. */
static __always_inline void polled_alone(struct thread *t, u32 slot)
{
  u32 found;
  struct descriptor *d = descriptor_at(t, slot, t->call_fd, &found);
  if (!d)
    return;
  update_begin(&d->seq);
  d->upto = t->syscalls;
  d->polled_ns += t->call_wait_ns;
  update_end(&d->seq);
}

/* The multiplexer has returned; cpu: what its thread had run by then. */
static __always_inline void begin_iteration(struct thread *t, struct loop *l, u64 now, u64 cpu)
{
  l->returned_ns = now;
  l->cpu_at_return_ns = cpu;
  l->runq_at_return_ns = t->runq_ns;
  clear_stacks(l);
  if (!l->iteration_waited)
    return;
  l->iteration_waited = 0;
  l->iteration_call_ns = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < WAIT_CLASSES; i++)
    l->iteration_wait_ns[i] = 0;
}

static __always_inline void loop_exit(struct thread *t, u32 slot, s64 ready, u64 now)
{
  struct loop *l = loop_of(t, slot, t->call_nr);
  if (!l)
    return;
  update_begin(&l->seq);
  l->upto = t->syscalls;
  l->wait_ns += t->call_wait_ns;
  if (ready >= 0) {
    l->iterations++;
    l->ready_sum += ready;
    if (ready > (s64)l->ready_max)
      l->ready_max = ready;
    if (t->call_zero_timeout)
      l->zero_timeout++;
    if (!ready) {
      l->empty++;
      if (!t->call_zero_timeout)
        l->timeouts++;
    }
    l->last_ready = ready;
    begin_iteration(t, l, now, cpu_ns(t));
  }
  l->accepted_at_return = t->accepted;
  l->data_at_return = t->moved_data;
  l->other_at_return = t->moved_other;
  update_end(&l->seq);
  t->current_loop = t->loops[t->call_loop & (LOOP_KINDS - 1)];
  t->accepted_fd = 0;
}
