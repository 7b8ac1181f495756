/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads and processes: their beginning, exec, new names. Their end is their last sched_switch. */
#define PF_IO_WORKER 0x00000010 /* include/linux/sched.h, Linux 5.12 and later */

static __always_inline int allocate_thread(u32 *slot)
{
  if (next_unused(COUNTER_THREADS, MAX_THREADS, slot))
    return 1;
  return free_threads.pop(slot) == 0;
}

/* NULL: there is no room for it. */
static __always_inline struct thread *begin_thread(u64 task, u32 tid, u32 pid, u32 parent_pid,
                                                   u8 state, u64 now)
{
  struct thread *t;
  u32 slot = 0;
  if (!allocate_thread(&slot)) {
    count(COUNTER_LOST_THREADS);
    return NULL;
  }
  t = threads.lookup(&slot);
  if (!t)
    return NULL;
  count(COUNTER_STARTED);
  update_begin(&t->seq);
  t->tid = tid;
  t->pid = pid;
  t->parent_pid = parent_pid;
  t->started_ns = now;
  t->since_ns = now;
  t->state = state;
  t->resume_state = STATE_KERNEL;
  t->io_worker = !!(read_u32(task + OFFSET_TASK_FLAGS) & PF_IO_WORKER);
  read_kernel_memory(t->name, sizeof(t->name), (void *)(task + OFFSET_TASK_COMM));
  begin_python(t, parent_pid);
  update_end(&t->seq);
  if (!track_thread(tid, slot))
    count(COUNTER_LOST_THREADS);
  return t;
}

#if HAVE_NEWTASK
/* raw task_newtask(task, clone_flags); current is the parent. */
PROGRAM(on_task_newtask)
{
  u64 task = ctx->args[0];
  u32 slot, parent_pid = current_pid(), pid = pid_of(task);
  u32 *children = targets.lookup(&parent_pid);
  if (!children || (copy_number() && thread_of(tid_of(task), &slot)))
    return 0;
  if (pid != parent_pid) {
    u32 follow = 1;
    if (!*children)
      return 0;
    if (targets.update(&pid, &follow))
      count(COUNTER_LOST_THREADS);
  }
  begin_thread(task, tid_of(task), pid, pid != parent_pid ? parent_pid : 0,
               STATE_RUNQ, bpf_ktime_get_ns()); /* clone wakes it next */
  return 0;
}

#endif

#if HAVE_EXEC
/* The thread that had this number until another thread took it over by an exec. It is a zombie,
 * but may not have left its CPU for the last time yet, which it would do under the other number. */
static __always_inline void end_replaced(u32 tid)
{
  u32 slot;
  struct thread *t = thread_of(tid, &slot);
  u64 now;
  if (!t)
    return;
  preempt_off();
  now = bpf_ktime_get_ns();
  update_begin(&t->seq);
  if (t->state == STATE_SLEEP || t->state == STATE_RUNQ)
    charge_waiting(t, now);
  else
    charge_cpu(t, t->state, now);
  t->ended_ns = now;
  t->state = STATE_DEAD;
  t->regs = 0;
  update_end(&t->seq);
  preempt_on();
  untrack_thread(tid, slot);
  count(COUNTER_ENDED);
}

/* raw sched_process_exec(p, old_pid, bprm): a thread that is not the leader takes the leader's
 * tid. */
PROGRAM(on_sched_process_exec)
{
  u32 slot, pid = current_pid(), tid = current_tid(), old_tid = tid;
  struct thread *t = thread_of(tid, &slot);
  if (copy_number() && t && already_done(t, DONE_EXEC))
    return 0;
  if (ctx->args[1] != (u32)bpf_get_current_pid_tgid())
    old_tid = remembered_tid(ctx->args[1]);
  if (old_tid != tid) {
    end_replaced(tid);
    t = thread_of(old_tid, &slot);
  }
  if (t) {
    preempt_off();
    update_begin(&t->seq);
    end_python(t);
    count(COUNTER_EXECS);
    begin_program(t);
    t->tid = tid;
    update_end(&t->seq);
    preempt_on();
    if (old_tid != tid) {
      untrack_thread(old_tid, slot);
      track_thread(tid, slot);
    }
  } else if (targets.lookup(&pid)) {
    /* A program that is traced from its start; or the replaced leader has just ended under this
     * number. */
    t = begin_thread(bpf_get_current_task(), tid, pid, 0, STATE_KERNEL, bpf_ktime_get_ns());
  }
  if (t)
    already_done(t, DONE_EXEC); /* leaves the mark */
  return 0;
}
#endif

/* raw task_rename(task, comm): mostly a thread names itself, soon after it began. Another thread
 * may do it on another CPU, where this record must not be changed: that only marks the record, and
 * the renamed thread takes the name over when it next leaves a CPU (sched.c). */
PROGRAM(on_task_rename)
{
  u32 slot, tid = tid_of(ctx->args[0]);
  struct thread *t = thread_of(tid, &slot);
  if (!t)
    return 0;
  if (tid != current_tid()) {
    t->renamed = 1;
    return 0;
  }
  preempt_off();
  update_begin(&t->seq);
  read_kernel_text(t->name, sizeof(t->name), (void *)ctx->args[1]);
  update_end(&t->seq);
  preempt_on();
  return 0;
}
