/* Without probes on system calls (light detail): what a thread sleeps in is read from its saved
 * registers when it is switched out, and added up when it runs again.
 *
 * Two sleeps in one call can't be told from two calls: so it is the sleeps that are counted.
 */
#if !DETAIL_FULL
/* The call that current is in, if it is in one, as enter_call() leaves it. What was copied since
 * the last socket call returned belongs to it. */
static __always_inline int look_at_call(struct thread *t, u32 slot, u64 task, u64 now)
{
  u64 regs, copied = t->call_copy_ns, first = t->call_first_copy_ns;
  u32 number, index;
  struct descriptor *d;
  if (t->io_worker)
    return 0; /* it has never been in user space: its registers are another thread's */
  regs = (u64)bpf_task_pt_regs((void *)task);
  LOAD("u32", number, regs, OFFSET_CALL_NUMBER);
  if ((s32)number < 0)
    return 0;
  t->call_restarts = 1; /* what is restarted is what it slept in last */
  enter_call(t, slot, regs, number, now);
  t->call_copy_ns = copied;
  t->call_first_copy_ns = first;
  index = t->call_descriptor - 1;
  d = descriptors.lookup(&index);
  if (d)
    address_descriptor(d);
  return 1;
}

/* It slept when it was entered: only /proc has looked at its descriptor. */
static __always_inline void adopt_descriptor(struct thread *t, u32 slot)
{
  u64 key = ((u64)slot << 40) | ((u64)t->call_kind << 32) | (u32)t->call_fd;
  u32 index = 0;
  struct descriptor *d;
  if (t->call_fd < 0 || t->call_kind == KIND_NONE || !allocate_descriptor(&index))
    return;
  descriptor_index.update(&key, &index);
  d = descriptors.lookup(&index);
  if (!d)
    return;
  d->slot = slot;
  d->fd = t->call_fd;
  d->kind = t->call_kind;
  t->call_descriptor = index + 1;
}

static __always_inline void add_sleep_to_descriptor(struct thread *t, u32 slot)
{
  u32 index;
  struct descriptor *d;
  if (t->from_proc)
    adopt_descriptor(t, slot);
  index = t->call_descriptor - 1;
  d = descriptors.lookup(&index);
  if (!d)
    return;
  BEGIN_UPDATE(d);
  d->upto = t->syscalls;
  d->sleeps++;
  d->wait_ns += t->call_wait_ns;
  END_UPDATE(d);
}

static __always_inline void add_sleep_to_loop(struct thread *t, u32 slot)
{
  struct loop *l = loop_of(t, slot, t->call_nr);
  if (!l)
    return;
  BEGIN_UPDATE(l);
  l->upto = t->syscalls;
  l->sleeps++;
  l->wait_ns += t->call_wait_ns;
  END_UPDATE(l);
  t->current_loop = t->loops[t->call_loop & (LOOP_KINDS - 1)];
}

/* It has run since it slept in a call, and leaves the CPU again (or is in a call on a socket). Only
 * now does the scheduler's own figure say how much of that sleep was in a run queue. */
static __always_inline void end_sleep(struct thread *t, u32 slot)
{
  u64 total = t->call_wait_ns + t->call_runq_ns;
  u32 bucket = bucket_of(t, total);
  u32 record = NO_RECORD;
  struct call *c = call_of(t, slot, &record);
  t->in_call = 0;
  t->syscalls++;
  if (c) {
    BEGIN_UPDATE(c);
    c->upto = t->syscalls;
    c->sleeps++;
    c->wait_ns += t->call_wait_ns;
    c->runq_ns += t->call_runq_ns;
    if (total > c->max_ns)
      c->max_ns = total;
    if (bucket < HISTOGRAM_BUCKETS)
      c->latency[bucket]++;
    END_UPDATE(c);
  }
  if (t->call_loop)
    add_sleep_to_loop(t, slot);
  if (t->call_loop || t->call_polls) {
    if (t->call_fd >= 0)
      polled_alone(t, slot);
  } else if (t->call_fd >= 0) {
    add_sleep_to_descriptor(t, slot);
  }
  t->from_proc = 0;
}
#define FIND_SLEEP(t, slot, task, prev_state, now)            \
  do {                                                  \
    if (!((prev_state) & (TASK_STOPPED | TASK_TRACED))) \
      look_at_call(t, slot, task, now);                     \
  } while (0)
#define END_SLEEP(t, slot)  \
  do {                      \
    if ((t)->in_call)       \
      end_sleep(t, slot);   \
  } while (0)
#else
#define FIND_SLEEP(t, slot, task, prev_state, now)
#define END_SLEEP(t, slot)
#endif
