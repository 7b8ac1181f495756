/* System calls: sys_enter opens one, sys_exit closes it (see results.c). */
#define MSG_PEEK 2
#define ERESTART_RESTARTBLOCK 516

static __always_inline void listen_on(u32 port)
{
  u32 one = 1;
  if (!listening_ports.lookup(&port))
    listening_ports.update(&port, &one);
}

/* A call that nothing is known of yet. */
static __always_inline void begin_call(struct thread *t, u64 now)
{
  t->in_call = 1;
  t->call_nr = CALL_OTHER;
  t->call_flags = 0;
  t->call_class = WAIT_OTHER;
  t->call_kind = KIND_NONE;
  t->call_loop = 0;
  t->call_fd = -1;
  t->call_descriptor = 0;
  t->call_entry_ns = now;
  t->call_wait_ns = t->call_runq_ns = t->call_copy_ns = t->call_kernel_ns = 0;
  t->call_kernel_since_wake_ns = 0;
  t->call_first_copy_ns = 0;
  t->call_size = 0;
  t->call_peeks = 0;
  t->call_polls = 0;
  t->from_proc = 0;
}

/* Without a probe on system calls regs are those of a task that the verifier knows. */
#if DETAIL_FULL
#define READ_ARGUMENTS(args, regs) \
  (!read_kernel_memory(args, sizeof(args), (void *)(regs + OFFSET_ARGUMENTS)))
#else
static __always_inline int load_arguments(u64 *args, u64 regs)
{
#pragma unroll
  for (int i = 0; i < ARGUMENT_WORDS; i++)
    LOAD("u64", args[i], regs, OFFSET_ARGUMENTS + 8 * i);
  return 1;
}
#define READ_ARGUMENTS(args, regs) load_arguments(args, regs)
#endif

/* Open a call: what it is, on what it works, why it would sleep. regs: the saved registers. */
static __always_inline void enter_call(struct thread *t, u32 slot, u64 regs, u32 nr, u64 now)
{
  struct call_spec *spec;
  struct descriptor *d;
  u64 args[ARGUMENT_WORDS];
  u32 found = 0;

  if (nr == RESTART_SYSCALL && t->call_restarts)
    nr = t->call_nr; /* its arguments are still in the registers */
  begin_call(t, now);
  spec = call_specs.lookup(&nr);
  if (!spec || !spec->listed)
    return;
  t->call_nr = nr;
  t->call_flags = spec->flags;
  t->call_class = spec->wait_class;
  if (spec->flags & CALL_NO_ARGUMENTS)
    return;
  if (!READ_ARGUMENTS(args, regs))
    return;
  if (spec->size_arg >= 0)
    t->call_size = argument(args, spec->size_arg);
  if (spec->fd_arg >= 0) {
    t->call_fd = (s32)argument(args, spec->fd_arg);
    if (spec->flags & (CALL_CLOSES | CALL_REPLACES)) {
      forget_descriptor(t->pid, t->call_fd);
      return;
    }
    d = descriptor_of(t, slot, t->call_fd, &found);
    if (d) {
      t->call_descriptor = found;
      t->call_kind = d->kind;
    }
    if (d && spec->flags & CALL_ACCEPTS && d->local_port)
      listen_on(d->local_port);
    if (t->call_class == WAIT_BY_KIND)
      t->call_class = wait_by_kind(t->call_kind, spec->flags);
    if (spec->msg_flags_arg >= 0)
      t->call_peeks = !!(argument(args, spec->msg_flags_arg) & MSG_PEEK);
    if (spec->buffer_arg >= 0)
      t->call_buffer = argument(args, spec->buffer_arg);
  } else if (spec->loop) {
    t->call_nfds = spec->nfds_arg >= 0 ? argument(args, spec->nfds_arg) : 0;
    if (spec->nfds_arg >= 0 && !(u32)t->call_nfds) {
      t->call_class = WAIT_SLEEP; /* select and poll on nothing are a sleep */
      t->call_kind = KIND_NO_FDS;
      return;
    }
    if (t->call_nfds == 1 && !(spec->flags & CALL_FD_SETS))
      read_user_memory(&t->call_fd, sizeof(t->call_fd), (void *)args[ARGUMENT_0]);
    t->call_zero_timeout = zero_timeout(argument(args, spec->timeout_arg), spec->flags);
    if (t->call_fd >= 0 && within_iteration(t)) {
      t->call_polls = 1;
      return;
    }
    t->call_loop = spec->loop;
    loop_enter(t, slot, spec->flags, args, now);
  } else if (spec->flags & CALL_FUTEX) {
    u64 gil = GIL_AROUND(t, args[ARGUMENT_0]);
    if (gil) {
      t->call_kind = KIND_GIL;
      t->call_class = WAIT_GIL;
      LOOP_WANTS_GIL(t, gil, now);
    } else if (!t->gil && short_timeout(args[ARGUMENT_1], args[ARGUMENT_3], now))
      t->call_kind = KIND_SHORT_TIMEOUT;
  } else if (spec->flags & CALL_WATCHES) {
    t->call_kind = trigger_kind(args[ARGUMENT_1], args[ARGUMENT_3]);
  } else if (spec->flags & CALL_CLOSES_RANGE) {
    forget_range(t, args[ARGUMENT_0], args[ARGUMENT_1]);
  }
}

/* The call that a thread is in when we first see it; its descriptor is looked up at its exit. */
static __always_inline void find_call_in(struct thread *t, u64 regs, u32 nr)
{
  struct call_spec *spec = call_specs.lookup(&nr);
  u64 args[ARGUMENT_WORDS];
  begin_call(t, t->since_ns);
  t->from_proc = 1;
  t->proc_number = nr;
  if (!spec || !spec->listed)
    return;
  t->call_nr = nr;
  t->call_flags = spec->flags;
  t->call_loop = spec->loop;
  t->call_class = spec->wait_class;
  if (t->call_class == WAIT_BY_KIND)
    t->call_class = spec->flags & CALL_OUT ? WAIT_SEND : WAIT_RECV;
  if (spec->fd_arg >= 0 &&
      !read_kernel_memory(args, sizeof(args), (void *)(regs + OFFSET_ARGUMENTS)))
    t->call_fd = (s32)argument(args, spec->fd_arg);
}

/* The call that a thread was in when we first saw it: is it this one? */
static __always_inline void check_call(struct thread *t, u32 slot, u64 regs)
{
  u32 found = 0;
  t->from_proc = 0;
  if (read_u32(regs + OFFSET_CALL_NUMBER) != t->proc_number)
    t->in_call = 0;
  else if (t->call_fd >= 0) {
    struct descriptor *d = descriptor_of(t, slot, t->call_fd, &found);
    if (d) {
      t->call_descriptor = found;
      t->call_kind = d->kind;
    }
  }
}

/* It is another program now: numbers that were close-on-exec are gone, look at each one anew. */
static __always_inline void become_program(struct thread *t)
{
  t->programs++;
  bpf_get_current_comm(t->name, sizeof(t->name));
}

#if !HAVE_EXEC
/* A call has returned 0: was it an execve? */
static __always_inline void notice_exec(struct thread *t, u64 regs)
{
  u32 number = read_u32(regs + OFFSET_CALL_NUMBER);
  if (number == NUMBER_EXECVE || number == NUMBER_EXECVEAT)
    become_program(t);
}
#endif

#if DETAIL_FULL
PROGRAM(on_sys_enter)
{
  u32 slot;
  struct thread *t = thread_of(current_tid(), &slot);
  u64 now;
  if (!t)
    return 0;
  now = bpf_ktime_get_ns();
  BEGIN_UPDATE(t);
  if (t->state == STATE_UNKNOWN)
    t->state = STATE_USER;
  charge_running(t, now);
  t->state = STATE_KERNEL;
  enter_call(t, slot, ctx->args[0], ctx->args[1], now);
#if PID_NAMESPACE
  if (ctx->args[1] == NUMBER_EXECVE || ctx->args[1] == NUMBER_EXECVEAT)
    remember_tid(t->tid);
#endif
  TIMELINE_EVENT(t, EVENT_ENTER, t->call_size, now);
  END_UPDATE(t);
  BLAME_STALL(ctx, t);
  return 0;
}

PROGRAM(on_sys_exit)
{
  u32 slot;
  struct thread *t = thread_of(current_tid(), &slot);
  int known;
  u64 now;
  if (!t)
    return 0;
  now = bpf_ktime_get_ns();
  BEGIN_UPDATE(t);
  if (t->state == STATE_UNKNOWN)
    t->state = STATE_KERNEL;
  charge_running(t, now);
  if (t->from_proc)
    check_call(t, slot, ctx->args[0]);
  TIMELINE_EVENT(t, EVENT_EXIT, ctx->args[1], now);
  known = t->in_call;
  if (known)
    leave_call(t, slot, ctx->args[1], now);
#if !HAVE_EXEC
  if (!ctx->args[1])
    notice_exec(t, ctx->args[0]);
#endif
  t->in_call = 0;
  t->call_restarts = (s64)ctx->args[1] == -ERESTART_RESTARTBLOCK;
  t->state = STATE_USER;
  END_UPDATE(t);
  if (known) /* a new thread comes out of a clone that it never entered */
    WALK_SLOW_CALL(ctx, t, now);
  return 0;
}
#endif
