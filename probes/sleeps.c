/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Without probes on system calls (light and sockets detail): the call that a thread sleeps in is
 * read from its saved registers when it is switched out, and added up when it runs again.
 *
 * Two sleeps in one call look like sleeps in two calls, so sleeps are counted instead of calls.
 */
/* include/linux/sched.h */
#define TASK_INTERRUPTIBLE 0x1
#define TASK_STOPPED 0x4
#define TASK_TRACED 0x8
#define TASK_DEAD 0x80
#define TASK_FREEZABLE 0x2000 /* this and the next since Linux 6.1, which used neither bit before */
#define TASK_FROZEN 0x8000

/* Stopped by a signal or a debugger. */
static __always_inline int is_stopped(u64 state)
{
  return !!(state & (TASK_STOPPED | TASK_TRACED));
}

/* Of a thread that is in no call: its control group is frozen, by do_freezer_trap() in kernel/signal.c
 * or, in cgroup v1, __refrigerator() in kernel/freezer.c. No page fault sleeps so; calls do. */
static __always_inline int is_frozen(u64 state)
{
  return state & TASK_FROZEN || (state & TASK_INTERRUPTIBLE && state & TASK_FREEZABLE);
}

#if !DETAIL_FULL
/* Open the call that current is in, if it is in one, as enter_call() does. What was copied since
 * the last socket call returned belongs to it. */
static __always_inline void open_sleep(struct thread *t, u32 slot, u64 task, u64 prev_state,
                                       u64 now)
{
  u64 regs, copied = t->call_copy_ns, first = t->call_first_copy_ns;
  u32 number, index;
  struct descriptor *d;
  if (is_stopped(prev_state) || prev_state & TASK_FROZEN)
    return;
  if (t->io_worker)
    return; /* never in user space: its registers are those of another thread */
  regs = (u64)bpf_task_pt_regs((void *)task);
  LOAD("u32", number, regs, OFFSET_CALL_NUMBER);
  if ((s32)number < 0)
    return;
  t->call_restarts = 1; /* a restarted call is the one that it slept in last */
  enter_call(t, slot, regs, number, now, NULL);
  t->call_copy_ns = copied;
  t->call_first_copy_ns = first;
  index = t->call_descriptor - 1;
  d = descriptors.lookup(&index);
  if (d)
    address_descriptor(d);
}

/* The thread slept when it was first tracked: only /proc has told what its descriptor is. */
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
  update_begin(&d->seq);
  d->slot = slot;
  d->fd = t->call_fd;
  d->kind = t->call_kind;
  update_end(&d->seq);
  t->call_descriptor = index + 1;
}

/* An iteration begins where the thread got its CPU: it has run since. Calls of the multiplexer that do
 * not sleep are not seen, so that it lasts until one does. */
static __always_inline void add_sleep_to_loop(struct thread *t, u32 slot, u64 now)
{
  struct loop *l = loop_of(t, slot, t->call_nr);
  if (!l)
    return;
  update_begin(&l->seq);
  l->upto = t->syscalls;
  l->sleeps++;
  l->wait_ns += t->call_wait_ns;
  begin_iteration(t, l, t->switched_in_ns, cpu_ns(t) - (now - t->switched_in_ns));
  update_end(&l->seq);
  t->current_loop = t->loops[t->call_loop & (LOOP_KINDS - 1)];
}

/* The thread has run since it slept in a call, and leaves the CPU again: sched_info has counted by
 * now how much of that sleep was in a run queue. */
static __always_inline void close_sleep(struct thread *t, u32 slot, u64 now)
{
  struct call_sums s = {.sleeps = 1, .timed = 1};
  struct descriptor *d;
  u32 index;
  if (!t->in_call)
    return;
  t->in_call = 0;
  t->syscalls++;
  s.nr = t->call_nr;
  s.kind = t->call_kind;
  s.wait_ns = t->call_wait_ns;
  s.runq_ns = t->call_runq_ns;
  s.total_ns = s.wait_ns + s.runq_ns;
  account_call(t, slot, &s);
  if (t->call_loop)
    add_sleep_to_loop(t, slot, now);
  else if (t->current_loop)
    loop_waited(t);
  if (t->call_loop || t->call_polls) {
    if (t->call_fd >= 0)
      polled_alone(t, slot);
  } else if (t->call_fd >= 0) {
    if (t->from_proc)
      adopt_descriptor(t, slot);
    index = t->call_descriptor - 1;
    d = descriptors.lookup(&index);
    if (d)
      account_descriptor(t, d, &s);
  }
  t->from_proc = 0;
}
#else
static __always_inline void open_sleep(struct thread *t, u32 slot, u64 task, u64 prev_state,
                                       u64 now)
{
}

static __always_inline void close_sleep(struct thread *t, u32 slot, u64 now)
{
}
#endif
