/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sys_enter opens a call, sys_exit closes it. */
#if DETAIL_FULL
/* Current's record, by the address of its saved registers. The thread that made the last call on
 * this CPU mostly makes the next one, too. The check of t->regs makes a stale or half-written
 * entry harmless. */
static __always_inline struct thread *caller(u64 regs, u32 *slot)
{
  u32 zero = 0;
  struct caller *last = last_caller.lookup(&zero);
  struct thread *t;
  if (last && last->regs == regs) {
    *slot = last->slot;
    t = threads.lookup(slot);
    if (t && t->regs == regs)
      return t;
  }
  t = thread_of(current_tid(), slot);
  if (t && last) {
    t->regs = last->regs = regs;
    last->slot = *slot;
  }
  return t;
}

PROGRAM(on_sys_enter)
{
  u32 slot;
  struct thread *t = caller(ctx->args[0], &slot);
  int late = 0;
  u64 now;
  if (!t)
    return 0;
  preempt_off();
  now = bpf_ktime_get_ns();
  update_begin(&t->seq);
  repair_exit(t, slot, now);
  charge_running(t, STATE_USER, now);
  t->state = STATE_KERNEL;
  enter_call(t, slot, ctx->args[0], ctx->args[1], now, &late);
#if PID_NAMESPACE
  if (ctx->args[1] == NUMBER_EXECVE || ctx->args[1] == NUMBER_EXECVEAT)
    remember_tid(t->tid);
#endif
  emit_thread(t, EVENT_ENTER, t->call_size, now);
  update_end(&t->seq);
  preempt_on();
  if (late)
    exits.call(ctx, CALL_DESCRIPTOR);
  attribute_stall(ctx, t); /* does not return where it makes a tail call */
  return 0;
}

/* Entered at the end of sys_enter of some calls, those on a descriptor that is not known yet; and at
 * the beginning of sys_exit, to which it returns, of the call that a thread was in when it was first
 * tracked. Inlined there it would be explored once for each way that leads to it. */
PROGRAM(on_descriptor)
{
  u32 slot;
  struct thread *t = caller(ctx->args[0], &slot);
  if (!t)
    return 0;
  preempt_off();
  update_begin(&t->seq);
  if (!t->from_proc || check_call(t, ctx->args[0]))
    enter_call_late(t, slot, ctx->args[0]);
  update_end(&t->seq);
  preempt_on();
  if (t->from_proc)
    exits.call(ctx, CALL_EXIT);
  return 0;
}

PROGRAM(on_sys_exit)
{
  u32 slot;
  struct thread *t = caller(ctx->args[0], &slot);
  int known;
  u64 now;
  /* An open call has not been closed, whatever the mark says. */
  if (!t || (already_done(t, DONE_EXIT) && !t->in_call))
    return 0;
  if (unlikely(t->from_proc == FROM_PROC))
    exits.call(ctx, CALL_DESCRIPTOR); /* comes back */
  preempt_off();
  now = bpf_ktime_get_ns();
  update_begin(&t->seq);
  repair_enter(t, slot, ctx->args[0], now);
  charge_running(t, STATE_KERNEL, now);
  emit_thread(t, EVENT_EXIT, ctx->args[1], now);
  known = t->in_call;
  if (known)
    leave_call(ctx, t, slot, now);
#if !HAVE_EXEC
  if (!ctx->args[1])
    notice_exec(t, ctx->args[0]);
#endif
  t->in_call = 0;
  if (PREEMPTIBLE)
    t->call_repaired = 0;
  if ((s64)ctx->args[1] == -ERESTART_RESTARTBLOCK)
    t->call_restarts = 1;
  t->state = STATE_USER;
  update_end(&t->seq);
  preempt_on();
  if (known) { /* a new thread returns from a clone that it did not enter */
    if (moves_exchange(t, ctx->args[1])) {
      t->call_ended_ns = now;
      exits.call(ctx, EXIT_EXCHANGE); /* does not return, unless the program is missing */
    }
    walk_slow_call(ctx, t, now);
  }
  return 0;
}
#endif
