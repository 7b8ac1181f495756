/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Add what a system call has done to the records of its kind and of its descriptor. The same for
 * all details: full detail adds calls, light detail sleeps, sockets detail both.
 */
#define EAGAIN 11      /* include/uapi/asm-generic/errno-base.h, errno.h */
#define ENOSYS 38
#define MAX_ERRNO 4095 /* include/linux/err.h */
#define NO_RECORD 0xffffffff

static __always_inline int allocate_call(u32 *index)
{
  if (next_unused(COUNTER_CALLS, MAX_CALLS, index))
    return 1;
  return free_calls.pop(index) == 0;
}

/* The record of a call that is not in the thread's cache: an old one, or a new one. */
static __always_inline struct call *find_call_record(u32 slot, u32 nr, u32 kind, u32 *index)
{
  u64 key = ((u64)slot << 32) | (nr << 8) | kind;
  u32 *known = call_index.lookup(&key);
  struct call *c;
  if (known) {
    *index = *known;
  } else {
    if (!allocate_call(index)) {
      count(COUNTER_LOST_CALLS);
      return NULL;
    }
    call_index.update(&key, index);
  }
  c = calls.lookup(index);
  if (c && !known) {
    update_begin(&c->seq);
    c->slot = slot;
    c->nr = nr;
    c->kind = kind;
    update_end(&c->seq);
  }
  return c;
}

/* The record of a call. index is left alone where there is no room for a record. */
static __always_inline struct call *call_of(struct thread *t, u32 slot, u32 nr, u32 kind,
                                            u32 *index)
{
  u32 pair = (nr << 8) | kind;
  u32 *cached = &t->call_cache[2 * ((nr + 5 * kind) & (CALL_CACHE - 1))];
  struct call *c;
  if (cached[1] == pair && cached[0]) {
    *index = cached[0] - 1;
    return calls.lookup(index);
  }
  c = find_call_record(slot, nr, kind, index);
  if (c) {
    cached[0] = *index + 1;
    cached[1] = pair;
  }
  return c;
}

static __always_inline void count_error(u32 slot, u32 nr, u32 kind, u32 error)
{
  struct error_key key = {.slot = slot, .nr = nr, .error = error, .kind = kind};
  u64 one = 1, *seen = errors.lookup(&key);
  if (seen)
    __sync_fetch_and_add(seen, 1);
  else if (errors.update(&key, &one))
    count(COUNTER_LOST_ERRORS);
}

/* Most calls neither sleep nor copy: they cost one comparison here. */
static __always_inline void add_to_phase(struct thread *t, u32 *histogram, u64 ns)
{
  u32 bucket;
  if (!ns)
    return;
  bucket = unbounded(t, histogram_bucket(ns) >> PHASE_SHIFT);
  if (bucket < PHASE_BUCKETS)
    histogram[bucket]++;
}

/* Returns the index of the record, NO_RECORD where there is no room for one. */
static __always_inline u32 account_call(struct thread *t, u32 slot, const struct call_sums *s)
{
  u32 index = NO_RECORD, bucket = s->timed ? bucket_of(t, s->total_ns) : 0;
  struct call *c = call_of(t, slot, s->nr, s->kind, &index);
  if (!c)
    return index;
  update_begin(&c->seq);
  c->upto = t->syscalls;
  c->calls += s->calls;
  c->sleeps += s->sleeps;
  c->kernel_ns += s->kernel_ns;
  if (s->timed) {
    if (s->total_ns > c->max_ns)
      c->max_ns = s->total_ns;
    if (bucket < HISTOGRAM_BUCKETS)
      c->latency[bucket]++;
  }
  if (s->wait_ns | s->runq_ns | s->copy_ns) {
    c->wait_ns += s->wait_ns;
    c->runq_ns += s->runq_ns;
    c->copy_ns += s->copy_ns;
    c->estimated += s->estimated;
    if (s->calls) {
      add_to_phase(t, c->wait, s->wait_ns);
      add_to_phase(t, c->copy, s->copy_ns);
    }
  }
  if (s->bytes) {
    c->bytes += s->bytes;
    c->filled += s->flags & CALL_IN && s->bytes == s->asked_bytes;
  } else if (s->ret == -EAGAIN) {
    c->eagain++;
  } else if (s->ret < 0 && s->ret >= -MAX_ERRNO) {
    c->errors++;
    count_error(slot, s->nr, s->kind, -s->ret);
  }
  update_end(&c->seq);
  return index;
}

/* The times of the call in progress. They are read anew for each record, so that what the compiler and
 * the verifier know of them ends there: else both follow every combination of branches. */
static __always_inline void take_times(struct thread *t, struct call_sums *s)
{
  s->wait_ns = *(volatile u64 *)&t->call_wait_ns;
  s->runq_ns = *(volatile u64 *)&t->call_runq_ns;
  s->copy_ns = *(volatile u64 *)&t->call_copy_ns;
  s->kernel_ns = *(volatile u64 *)&t->call_kernel_ns;
}

static __always_inline void account_descriptor(struct thread *t, struct descriptor *d,
                                               const struct call_sums *s)
{
  update_begin(&d->seq);
  d->upto = t->syscalls;
  d->calls += s->calls;
  d->sleeps += s->sleeps;
  if (s->wait_ns | s->copy_ns) {
    d->wait_ns += s->wait_ns;
    d->copy_ns += s->copy_ns;
    d->estimated += s->estimated;
  }
  if (s->bytes) {
    if (s->flags & CALL_OUT) {
      d->bytes_out += s->bytes;
    } else {
      d->bytes_in += s->bytes;
      pick_up(t, d, s);
    }
    address_descriptor(d);
  } else if (s->ret == -EAGAIN) {
    d->eagain++;
  } else if (s->calls && ((!s->ret && s->flags & CALL_IN) ||
                          (s->ret >= 0 && s->flags & CALL_ACCEPTS))) {
    settle(d);
  }
  update_end(&d->seq);
}
