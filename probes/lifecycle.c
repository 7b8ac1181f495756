/* Threads and processes: born, replaced by exec. Their end is their last sched_switch. */
#define CLONE_THREAD 0x00010000
#define PF_IO_WORKER 0x00000010

static __always_inline int allocate_thread(u32 *slot)
{
  if (next_unused(COUNTER_THREADS, MAX_THREADS, slot))
    return 1;
  return free_threads.pop(slot) == 0;
}

static __always_inline void begin_thread(u64 task, u32 tid, u32 pid, u32 parent_pid, u8 state,
                                         u64 now)
{
  struct thread *t;
  u32 slot = 0;
  if (!allocate_thread(&slot)) {
    count(COUNTER_LOST_THREADS);
    return;
  }
  t = threads.lookup(&slot);
  if (!t)
    return;
  count(COUNTER_STARTED);
  BEGIN_UPDATE(t);
  t->tid = tid;
  t->pid = pid;
  t->parent_pid = parent_pid;
  t->started_ns = now;
  t->since_ns = now;
  t->state = state;
  t->resume_state = STATE_KERNEL;
  t->io_worker = !!(read_u32(task + OFFSET_TASK_FLAGS) & PF_IO_WORKER);
  read_kernel_memory(t->name, sizeof(t->name), (void *)(task + OFFSET_TASK_COMM));
  BEGIN_PYTHON(t, parent_pid);
  END_UPDATE(t);
  if (!index_thread(tid, slot))
    count(COUNTER_LOST_THREADS);
}

#if HAVE_NEWTASK
/* raw task_newtask(task, clone_flags); current is the parent. */
PROGRAM(on_task_newtask)
{
  u64 task = ctx->args[0];
  u32 slot, parent_pid = current_pid(), pid = pid_of(task);
  u32 *children = targets.lookup(&parent_pid);
  if (!children)
    return 0;
  if (pid != parent_pid) {
    u32 follow = 1;
    if (!*children)
      return 0;
    if (targets.update(&pid, &follow))
      count(COUNTER_LOST_THREADS);
  }
  begin_thread(task, tid_of(task), pid, pid != parent_pid ? parent_pid : 0,
               STATE_RUNQ, bpf_ktime_get_ns()); /* clone wakes it at once */
  return 0;
}

#endif

#if HAVE_EXEC
/* The thread that had this number until another took it over by an exec. It is a zombie, but may be
 * about to leave its CPU yet, under the other's number: nobody would know it then. */
static __always_inline void end_replaced(u32 tid)
{
  u32 slot;
  struct thread *t = thread_of(tid, &slot);
  u64 now = bpf_ktime_get_ns();
  if (!t)
    return;
  BEGIN_UPDATE(t);
  if (t->state == STATE_SLEEP || t->state == STATE_RUNQ)
    charge_waiting(t, now);
  else
    charge_cpu(t, t->state, now);
  t->ended_ns = now;
  t->state = STATE_DEAD;
  t->regs = 0;
  END_UPDATE(t);
  forget_thread(tid, slot);
  count(COUNTER_ENDED);
}

/* raw sched_process_exec(p, old_pid, bprm): a thread that is not the leader takes its tid. */
PROGRAM(on_sched_process_exec)
{
  u32 slot, pid = current_pid(), tid = current_tid(), old_tid = tid;
  struct thread *t;
  if (ctx->args[1] != (u32)bpf_get_current_pid_tgid())
    old_tid = remembered_tid(ctx->args[1]);
  t = thread_of(old_tid, &slot);
  if (old_tid != tid)
    end_replaced(tid);
  if (t) {
    BEGIN_UPDATE(t);
    END_PYTHON(t);
    count(COUNTER_EXECS);
    become_program(t);
    t->tid = tid;
    END_UPDATE(t);
    if (old_tid != tid) {
      forget_thread(old_tid, slot);
      index_thread(tid, slot);
    }
  } else if (targets.lookup(&pid)) {
    /* A program that is to be traced from its start; or the leader that this thread replaces
     * ended under its number in between. */
    begin_thread(bpf_get_current_task(), tid, pid, 0, STATE_KERNEL, bpf_ktime_get_ns());
  }
  return 0;
}
#endif

/* raw task_rename(task, comm): a thread gets a name, from itself as a rule, soon after it began. */
PROGRAM(on_task_rename)
{
  u32 slot;
  struct thread *t = thread_of(tid_of(ctx->args[0]), &slot);
  if (t)
    read_kernel_text(t->name, sizeof(t->name), (void *)ctx->args[1]);
  return 0;
}
