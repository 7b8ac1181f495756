/* The scheduler: when a thread leaves the CPU and why, when it is woken, when it runs again. */
#define TASK_STOPPED 0x4
#define TASK_TRACED 0x8
#define TASK_DEAD 0x80

static __always_inline void end_thread(struct thread *t, u32 slot, u32 tid, u64 now)
{
  t->ended_ns = now;
  t->state = STATE_DEAD;
  t->regs = 0;
  bpf_get_current_comm(t->name, sizeof(t->name));
  forget_thread(tid, slot);
  count(COUNTER_ENDED);
}

/* Why a thread sleeps: for its call's sake; stopped by a signal; or outside any call. */
static __always_inline u8 sleep_class(struct thread *t, u64 prev_state)
{
  if (prev_state & (TASK_STOPPED | TASK_TRACED))
    return WAIT_SIGNAL;
  if (t->in_call)
    return t->call_class;
  return t->io_worker ? WAIT_URING : WAIT_FAULT;
}

/* First seen in the middle of something: its saved registers tell the call, if it is in one. */
static __always_inline void find_call(struct thread *t)
{
  u64 regs;
  u32 number;
  t->state = t->io_worker ? STATE_KERNEL : STATE_USER;
#if HAVE_TASK_PT_REGS && DETAIL_FULL
  if (t->io_worker)
    return; /* it has never been in user space: its registers are another thread's */
  regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
  number = read_u32(regs + OFFSET_CALL_NUMBER);
  if ((s32)number < 0)
    return;
  find_call_in(t, regs, number);
  t->state = STATE_KERNEL;
#endif
}

/* task: its own, of which the verifier knows the type. */
static __always_inline void switch_out(struct thread *t, u32 slot, u32 tid, u64 task, int preempted,
                                       u64 prev_state, u64 now)
{
  struct scheduled info = scheduled_as(task);
  if (t->state == STATE_UNKNOWN)
    find_call(t);
  charge_scheduled(t, now, &info);
  END_SLEEP(t, slot);
  if (!preempted && prev_state & TASK_DEAD) {
    end_thread(t, slot, tid, now);
    return;
  }
  t->resume_state = t->state;
  t->slices = info.slices;
  t->run_delay_ns = info.run_delay_ns;
  if (preempted || !prev_state) {
    t->state = STATE_RUNQ;
    t->involuntary++;
    TIMELINE_EVENT(t, EVENT_PREEMPT, 0, now);
    return;
  }
  if (t->state == STATE_COPY)
    t->resume_state = STATE_KERNEL; /* blocked again: this copy is over */
  FIND_SLEEP(t, slot, task, prev_state, now);
  t->sleep_class = sleep_class(t, prev_state);
  t->state = STATE_SLEEP;
  t->voluntary++;
  TIMELINE_EVENT(t, EVENT_SLEEP, t->sleep_class, now);
}

/* raw sched_switch(preempt, prev, next[, prev_state]); prev is current. */
PROGRAM(on_sched_switch)
{
  u32 slot, prev_tid = TID_OF_ARGUMENT(ctx->args[SWITCH_PREV]);
  u32 next_tid = TID_OF_ARGUMENT(ctx->args[SWITCH_NEXT]);
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
      BEGIN_UPDATE(t);
      switch_out(t, slot, prev_tid, ctx->args[SWITCH_PREV], (u8)ctx->args[0], prev_state, now);
      END_UPDATE(t);
    }
  }
  if (next_tid) {
    t = thread_of(next_tid, &slot);
    if (t) {
      if (!now)
        now = bpf_ktime_get_ns();
      BEGIN_UPDATE(t);
      if (t->state == STATE_UNKNOWN) {
        /* Nothing is known of the time before: it was ready, or it would not run now. */
        t->state = STATE_RUNQ;
        t->resume_state = STATE_UNKNOWN;
      }
      charge_waiting(t, now);
      t->switched_in_ns = now;
      t->state = t->resume_state;
      TIMELINE_EVENT(t, EVENT_RUN, 0, now);
      END_UPDATE(t);
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
    TIMELINE_EVENT(t, EVENT_WAKE, 0, now);
  }
  return 0;
}
#endif
