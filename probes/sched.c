/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The scheduler: when a thread leaves the CPU and why, when it is woken, when it runs again. */
static __always_inline void end_thread(struct thread *t, u32 slot, u32 tid, u64 now)
{
  t->ended_ns = now;
  t->state = STATE_DEAD;
  t->regs = 0;
  bpf_get_current_comm(t->name, sizeof(t->name));
  untrack_thread(tid, slot);
  count(COUNTER_ENDED);
}

/* Another thread has renamed current. */
static __always_inline void take_new_name(struct thread *t)
{
  if (likely(!t->renamed))
    return;
  t->renamed = 0;
  bpf_get_current_comm(t->name, sizeof(t->name));
}

/* Why a thread sleeps: stopped by a signal, in a call, frozen, or outside of any call. */
static __always_inline u8 sleep_class(struct thread *t, u64 prev_state)
{
  if (is_stopped(prev_state))
    return WAIT_SIGNAL;
  if (t->in_call)
    return t->call_class;
  if (is_frozen(prev_state))
    return WAIT_SIGNAL;
  return t->io_worker ? WAIT_URING : WAIT_FAULT;
}

/* The first event of a thread that was running before: its saved registers tell the call. */
static __always_inline void find_call(struct thread *t)
{
  u64 regs;
  u32 number;
  t->state = t->io_worker ? STATE_KERNEL : STATE_USER;
#if HAVE_TASK_PT_REGS && DETAIL_FULL
  if (t->io_worker)
    return; /* never in user space: its registers are those of another thread */
  regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
  number = read_u32(regs + OFFSET_CALL_NUMBER);
  if ((s32)number < 0)
    return;
  find_call_in(t, regs, number);
  t->state = STATE_KERNEL;
#endif
}

/* task: the thread's own, whose type the verifier knows. */
static __always_inline void switch_out(struct thread *t, u32 slot, u32 tid, u64 task, int preempted,
                                       u64 prev_state, u64 now)
{
  struct sched_figures figures = sched_figures_of(task);
  if (t->state == STATE_UNKNOWN)
    find_call(t);
  charge_with_figures(t, now, &figures);
  if (!preempted && prev_state)
    repair_enter_asleep(t, slot, now);
  close_sleep(t, slot, now);
  take_new_name(t);
  if (!preempted && prev_state & TASK_DEAD) {
    end_thread(t, slot, tid, now);
    return;
  }
  t->resume_state = t->state;
  t->slices = figures.slices;
  t->run_delay_ns = figures.run_delay_ns;
  if (preempted || !prev_state) {
    t->state = STATE_RUNQ;
    t->involuntary++;
    emit_thread(t, EVENT_PREEMPT, 0, now);
    return;
  }
  if (t->state == STATE_COPY)
    t->resume_state = STATE_KERNEL; /* blocked again: this copy has ended */
  open_sleep(t, slot, task, prev_state, now);
  t->sleep_class = sleep_class(t, prev_state);
  t->state = STATE_SLEEP;
  t->voluntary++;
  emit_thread(t, EVENT_SLEEP, t->sleep_class, now);
}

/* raw sched_switch(preempt, prev, next[, prev_state]); prev is current. */
PROGRAM(on_sched_switch)
{
  u32 slot, prev_tid = tid_of_argument(ctx->args[SWITCH_PREV]);
  u32 next_tid = tid_of_argument(ctx->args[SWITCH_NEXT]);
  struct thread *t;
  u64 now = 0;

  if (prev_tid) {
    t = thread_of(prev_tid, &slot);
    if (t) {
#if SWITCH_STATE
      u32 prev_state = ctx->args[SWITCH_STATE];
#else
      u32 prev_state = read_u32(ctx->args[SWITCH_PREV] + OFFSET_TASK_STATE);
#endif
      now = bpf_ktime_get_ns();
      update_begin(&t->seq);
      switch_out(t, slot, prev_tid, ctx->args[SWITCH_PREV], (u8)ctx->args[0], prev_state, now);
      update_end(&t->seq);
    }
  }
  if (next_tid) {
    t = thread_of(next_tid, &slot);
    if (t) {
      if (!now)
        now = bpf_ktime_get_ns();
      update_begin(&t->seq);
      if (t->state == STATE_UNKNOWN) {
        /* The thread was ready, or it would not run now. */
        t->state = STATE_RUNQ;
        t->resume_state = STATE_UNKNOWN;
      }
      charge_waiting(t, now);
      t->switched_in_ns = now;
      t->state = t->resume_state;
      emit_thread(t, EVENT_RUN, 0, now);
      update_end(&t->seq);
    }
  }
  return 0;
}

#if HAVE_WAKING
PROGRAM(on_sched_waking)
{
  u32 slot;
  struct thread *t = thread_of(tid_of(ctx->args[0]), &slot);
  if (t) {
    u64 now = bpf_ktime_get_ns();
    t->woken_ns = now;
    t->waker = current_tid();
    emit_thread(t, EVENT_WAKE, 0, now);
  }
  return 0;
}
#endif
