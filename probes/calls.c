/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Open a call: what it is, what it works on, why it would sleep. */
#define MSG_PEEK 2                /* include/linux/socket.h */
#define ERESTART_RESTARTBLOCK 516 /* include/linux/errno.h */

/* What to do with a call. Numbers past the table are not listed, as its last entry is not. */
static __always_inline struct call_spec *spec_of(u32 nr)
{
  struct call_spec *spec = call_specs.lookup(&nr);
  if (!spec) {
    nr = MAX_SYSCALLS - 1;
    spec = call_specs.lookup(&nr);
  }
  return spec;
}

/* A call of which nothing but the number is known yet. */
static __always_inline void begin_call(struct thread *t, struct call_spec *spec, u32 nr, u64 now)
{
  t->in_call = 1;
  /* All members that a spec begins with. */
  __builtin_memcpy(&t->call_class, spec, BEGINNING_BYTES);
  t->call_nr = nr;
  if (!spec->listed) {
    t->call_nr = CALL_OTHER;
    t->call_class = WAIT_OTHER;
  }
  t->call_fd = -1;
  t->call_descriptor = 0;
  t->call_entry_ns = now;
  t->call_wait_ns = t->call_runq_ns = t->call_copy_ns = t->call_kernel_ns = 0;
  t->call_kernel_at_wake_ns = 0;
  t->call_first_copy_ns = 0;
  t->call_size = 0;
}

/* d: what the call works on, NULL: it has no record. */
static __always_inline void take_descriptor(struct thread *t, u32 slot, struct descriptor *d,
                                            u32 found)
{
  u16 flags = t->call_flags;
  if (d) {
    t->call_descriptor = found;
    t->call_kind = d->kind;
    if (flags & CALL_ACCEPTS)
      listen_on(d, slot);
  }
  if (t->call_class == WAIT_BY_KIND)
    t->call_class = wait_by_kind(t->call_kind, flags);
}

/* Where late is not NULL, it is set where something is left to enter_call_late(). */
static __always_inline void enter_descriptor_call(struct thread *t, u32 slot,
                                                  struct call_spec *spec, struct arguments *args,
                                                  int *late)
{
  u32 fd = argument(args, spec->fd_arg), found = 0;
  struct descriptor *d;
  t->call_fd = fd;
  if (spec->flags & (CALL_CLOSES | CALL_REPLACES)) {
    invalidate_descriptor(t->pid, fd);
    return;
  }
  if (spec->size_arg != NO_ARGUMENT)
    t->call_size = argument(args, spec->size_arg);
  if (spec->msg_flags_arg != NO_ARGUMENT)
    t->call_peeks = !!(argument(args, spec->msg_flags_arg) & MSG_PEEK);
  if (spec->buffer_arg != NO_ARGUMENT)
    t->call_buffer = argument(args, spec->buffer_arg);
  d = late ? known_descriptor(t, slot, fd, &found) : descriptor_of(t, slot, fd, &found);
  if (late && !d)
    *late = 1;
  else
    take_descriptor(t, slot, d, found);
}

static __always_inline void enter_multiplexer(struct thread *t, u32 slot, struct call_spec *spec,
                                              struct arguments *args, u64 now)
{
  int counted = spec->nfds_arg != NO_ARGUMENT;
  t->call_nfds = counted ? argument(args, spec->nfds_arg) : 0;
  if (counted && !(u32)t->call_nfds) {
    t->call_class = WAIT_SLEEP; /* select and poll on no descriptor are a sleep */
    t->call_kind = KIND_NO_FDS;
    t->call_loop = 0;
    return;
  }
  if (t->call_nfds == 1 && !(spec->flags & CALL_FD_SETS))
    read_user_memory(&t->call_fd, sizeof(t->call_fd), (void *)argument(args, ARGUMENT_0));
  t->call_zero_timeout = zero_timeout(argument(args, spec->timeout_arg), spec->flags);
  if (t->call_fd >= 0 && within_iteration(t)) {
    t->call_polls = 1;
    t->call_loop = 0;
    return;
  }
  loop_enter(t, slot, spec->flags, args, now);
}

static __always_inline void enter_futex(struct thread *t, struct arguments *args, u64 now)
{
  u64 gil = gil_around(t, argument(args, ARGUMENT_0));
  if (gil) {
    t->call_kind = KIND_GIL;
    t->call_class = WAIT_GIL;
    loop_waits_for_gil(t, gil, now);
  } else if (stops_the_world(t, argument(args, ARGUMENT_0))) {
    t->call_kind = KIND_STOP_THE_WORLD;
  } else if (!t->gil && t->gil_lookup != GIL_NONE &&
             short_timeout(argument(args, ARGUMENT_1), argument(args, ARGUMENT_3), now)) {
    t->call_kind = KIND_SHORT_TIMEOUT;
  }
}

/* Open a call: its number, its descriptor, why it would sleep. regs: the saved registers. late: see
 * enter_descriptor_call(). */
static __always_inline void enter_call(struct thread *t, u32 slot, u64 regs, u64 nr, u64 now,
                                       int *late)
{
  struct call_spec *spec;
  struct arguments args;

  if (nr == RESTART_SYSCALL && t->call_restarts)
    nr = t->call_nr; /* its arguments are still in the registers */
  spec = spec_of(nr);
  if (!spec)
    return;
  begin_call(t, spec, nr, now);
  if (!spec->listed || spec->flags & CALL_NO_ARGUMENTS || !find_arguments(&args, regs))
    return;
  if (spec->fd_arg != NO_ARGUMENT)
    enter_descriptor_call(t, slot, spec, &args, late);
  else if (spec->loop)
    enter_multiplexer(t, slot, spec, &args, now);
  else if (spec->flags & CALL_FUTEX)
    enter_futex(t, &args, now);
  else if (spec->flags & CALL_WATCHES)
    t->call_kind = trigger_kind(argument(&args, ARGUMENT_1), argument(&args, ARGUMENT_3));
  else if (DETAIL_FULL && spec->flags & CALL_CLOSES_RANGE) { /* close_range(2) does not sleep */
    if (late)
      *late = 1;
    else
      invalidate_range(t, argument(&args, ARGUMENT_0), argument(&args, ARGUMENT_1));
  }
}

/* What enter_call() has left. */
static __always_inline void enter_call_late(struct thread *t, u32 slot, u64 regs)
{
  struct arguments args;
  u32 found = 0;
  if (t->call_flags & CALL_CLOSES_RANGE) {
    if (find_arguments(&args, regs))
      invalidate_range(t, argument(&args, ARGUMENT_0), argument(&args, ARGUMENT_1));
  } else {
    take_descriptor(t, slot, new_descriptor(t, slot, t->call_fd, &found), found);
  }
}

/* The call that a thread is in at its first event. Its descriptor is looked up at the call's
 * exit. */
static __always_inline void find_call_in(struct thread *t, u64 regs, u32 nr)
{
  struct call_spec *spec = spec_of(nr);
  struct arguments args;
  if (!spec)
    return;
  begin_call(t, spec, nr, t->since_ns);
  t->from_proc = FROM_PROC;
  t->proc_number = nr;
  if (!spec->listed)
    return;
  if (t->call_class == WAIT_BY_KIND)
    t->call_class = spec->flags & CALL_OUT ? WAIT_SEND : WAIT_RECV;
  if (spec->fd_arg != NO_ARGUMENT && find_arguments(&args, regs))
    t->call_fd = (s32)argument(&args, spec->fd_arg);
}

/* The call that a thread was in when it was first tracked returns, or another one does. Returns
 * whether its descriptor is to be looked up. */
static __always_inline int check_call(struct thread *t, u64 regs)
{
  t->from_proc = FROM_PROC_MET;
  if (read_u32(regs + OFFSET_CALL_NUMBER) != t->proc_number)
    t->in_call = 0;
  return t->in_call && t->call_fd >= 0;
}

/* An exec: descriptors that were close-on-exec are closed, so every number is looked up anew. */
static __always_inline void begin_program(struct thread *t)
{
  invalidate_descriptors(t);
  bpf_get_current_comm(t->name, sizeof(t->name));
}

#if !HAVE_EXEC
/* Without a tracepoint on exec: an execve that has returned 0. */
static __always_inline void notice_exec(struct thread *t, u64 regs)
{
  u32 number = read_u32(regs + OFFSET_CALL_NUMBER);
  if (number == NUMBER_EXECVE || number == NUMBER_EXECVEAT)
    begin_program(t);
}
#endif
