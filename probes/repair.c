/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* System calls of which the kernel has skipped a probe (preemption.c): they are counted all the
 * same.
 */
#if PREEMPTIBLE && DETAIL_FULL
/* sys_exit of a call whose sys_enter was skipped: nothing has opened it. The registers still tell
 * which call it is. How the time since the last event is shared between user and kernel is not
 * known. */
static __always_inline void repair_enter(struct thread *t, u32 slot, u64 regs, u64 now)
{
  if (likely(t->in_call || t->state != STATE_USER))
    return; /* a new thread returns from a clone that it did not enter: STATE_KERNEL */
  count(COUNTER_REPAIRED);
  charge_cpu(t, STATE_UNKNOWN, now);
  t->state = STATE_KERNEL;
  enter_call(t, slot, regs, read_u32(regs + OFFSET_CALL_NUMBER), now, NULL);
}

/* The same at a sleep. On x86 the saved result is -ENOSYS until the call returns, which tells
 * sleeps in a call from those after its exit (arch/x86/entry/entry_64.S). The time from the entry
 * to the sleep is short and counts as user time. */
static __always_inline void repair_enter_asleep(struct thread *t, u32 slot, u64 now)
{
#if HAVE_TASK_PT_REGS && HAVE_RESULT
  u64 regs;
  u32 number;
  if (likely(t->in_call || t->state != STATE_USER) || t->io_worker)
    return;
  regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
  number = read_u32(regs + OFFSET_CALL_NUMBER);
  if ((s32)number < 0 || read_u64(regs + OFFSET_RESULT) != -ENOSYS)
    return;
  count(COUNTER_REPAIRED);
  t->state = STATE_KERNEL;
  enter_call(t, slot, regs, number, now, NULL);
  t->call_repaired = 1;
#endif
}

/* sys_enter of a thread that has a call open: both copies of sys_exit were skipped. The call is
 * counted; what it returned is not known, and how the time since the last event was spent is not,
 * either. A call that was opened at a sleep before its own sys_enter (in seccomp) is the same
 * call; one that user space had found was over by then. */
static __always_inline void repair_exit(struct thread *t, u32 slot, u64 now)
{
  struct call_sums s = {.calls = 1};
  struct descriptor *d;
  u32 index;
  if (likely(!t->in_call))
    return;
  t->in_call = 0;
  if (t->call_repaired || t->from_proc) {
    t->call_repaired = 0;
    return;
  }
  count(COUNTER_UNKNOWN_RESULTS);
  if (t->state == STATE_KERNEL || t->state == STATE_COPY) {
    charge_cpu(t, STATE_UNKNOWN, now);
    t->state = STATE_USER;
  }
  t->syscalls++;
  s.ret = 1; /* neither an error nor the end of a stream */
  s.nr = t->call_nr;
  s.kind = t->call_kind;
  s.flags = t->call_flags;
  s.wait_ns = t->call_wait_ns;
  s.runq_ns = t->call_runq_ns;
  s.copy_ns = t->call_copy_ns;
  s.kernel_ns = t->call_kernel_ns;
  index = t->call_descriptor - 1;
  d = descriptors.lookup(&index);
  if (d)
    account_descriptor(t, d, &s);
  account_call(t, slot, &s);
}
#else
static __always_inline void repair_enter(struct thread *t, u32 slot, u64 regs, u64 now)
{
}

static __always_inline void repair_enter_asleep(struct thread *t, u32 slot, u64 now)
{
}

static __always_inline void repair_exit(struct thread *t, u32 slot, u64 now)
{
}
#endif
