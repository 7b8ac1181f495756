/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets without probes on system calls (sockets detail): a read or write of a socket has ended.
 *
 * The thread's call in progress may be a sleep that is not added up yet (sleeps.c), so nothing of
 * it is changed but the copy, which belongs to this call. What has become of an exchange is told to
 * on_exchange by members of its own (moved_*).
 */
#if DETAIL_SOCKETS
/* The record of a descriptor whose socket is known, so that the fd table need not be asked. */
static __always_inline struct descriptor *descriptor_of_sock(struct thread *t, u32 slot, u32 fd,
                                                             u64 sock, u32 *found)
{
  struct descriptor *d = descriptor_at(t, slot, fd, found);
  if (d && d->sock == sock && d->inode == inode_of_sock(sock))
    return d;
  return resolve_descriptor(t, slot, fd, 0, found);
}

/* Where current's registers are saved: a thread has them at the same address all its life. */
static __always_inline u64 saved_registers(struct thread *t)
{
#if HAVE_CAST
  if (!t->regs)
    t->regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
  return *(volatile u64 *)&t->regs; /* a number on both ways */
#else
  return (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
#endif
}

static __always_inline u64 saved_word(u64 regs, u32 offset)
{
  u64 word;
#if HAVE_CAST
  word = MEMBER(u64, regs, TYPE_PT_REGS, offset);
#else
  LOAD("u64", word, regs, offset);
#endif
  return word;
}

/* Up to now current was in this call. */
static __always_inline void charge_socket_call(struct thread *t)
{
  u8 state = t->state == STATE_COPY ? STATE_COPY : STATE_USER;
  if (!t->call_first_copy_ns)
    t->moved_after_ns = t->since_ns;
  else if (t->moved_after_ns < t->switched_in_ns) /* it left the CPU while it copied */
    t->moved_after_ns = t->switched_in_ns;
  charge_running(t, state, bpf_ktime_get_ns());
  t->state = STATE_USER;
}

/* What the call has done. It is read anew for each use, as take_times() does. */
static __always_inline void take_result(struct bpf_raw_tracepoint_args *ctx, struct call_spec *spec,
                                        struct call_sums *s)
{
  s->ret = (s32)result_of(ctx);
  s->bytes = s->ret & ~(s->ret >> 63);
  s->flags = *(volatile u16 *)&spec->flags;
}

/* Whether an exchange goes on. */
static __always_inline int socket_moved(struct thread *t, struct descriptor *d,
                                        const struct call_sums *s)
{
  if (t->call_settled) {
    t->call_settled = 0;
    return 0;
  }
  if (s->peeks || (d->kind != KIND_TCP && d->kind != KIND_UNIX))
    return 0;
  return s->bytes || (!s->ret && s->flags & CALL_IN);
}

/* raw sock_recv_length, sock_send_length(sk, ret, flags); current is the caller. Called once for
 * each message of a vector. */
static __always_inline int socket_call(struct bpf_raw_tracepoint_args *ctx, u32 event,
                                       u32 counter)
{
  u32 slot, number, found = 0;
  struct thread *t = thread_of(current_tid(), &slot);
  struct call_sums s = {.calls = 1};
  struct call_spec *spec;
  struct descriptor *d;
  int moved = 0;
  u64 regs;
  count_made_up(event, counter);
  if (!t || t->io_worker || already_done(t, event))
    return 0;
  regs = saved_registers(t);
  number = saved_word(regs, OFFSET_CALL_NUMBER);
  spec = call_specs.lookup(&number);
  if (!spec || !(spec->flags & (CALL_IN | CALL_OUT)) || spec->fd_arg != ARGUMENT_0)
    return 0;
  s.nr = number;
  s.peeks = !!(ctx->args[2] & MSG_PEEK);
  take_result(ctx, spec, &s);
  preempt_off();
  update_begin(&t->seq);
  s.asked_bytes = unbounded(t, spec->size_arg == ARGUMENT_2 ? saved_word(regs, OFFSET_ARGUMENTS + 8 * ARGUMENT_2) : 0);
  if (t->state == STATE_COPY || s.ret >= 0)
    charge_socket_call(t);
  take_result(ctx, spec, &s);
  d = descriptor_of_sock(t, slot, saved_word(regs, OFFSET_ARGUMENTS + 8 * ARGUMENT_0), ctx->args[0], &found);
  if (d && d->sock == ctx->args[0]) { /* else splice: the socket is not its first argument */
    s.kind = d->kind;
    s.copy_ns = t->call_copy_ns;
    s.taken_ns = t->call_first_copy_ns;
    if (!s.taken_ns && s.bytes)
      s.taken_ns = t->since_ns;
    account_descriptor(t, d, &s);
    take_result(ctx, spec, &s);
    s.copy_ns = *(volatile u64 *)&t->call_copy_ns;
    account_call(t, slot, &s);
    take_result(ctx, spec, &s);
    moved = socket_moved(t, d, &s);
    t->moved_descriptor = found;
    t->moved_fd = d->fd;
    t->moved_flags = s.flags;
    t->moved_copy_ns = *(volatile u64 *)&t->call_copy_ns;
  }
  t->call_copy_ns = t->call_first_copy_ns = 0;
  update_end(&t->seq);
  preempt_on();
  if (moved)
    exits.call(ctx, EXIT_EXCHANGE); /* does not return, unless the program is missing */
  return 0;
}

PROGRAM(on_sock_recv_length)
{
  return socket_call(ctx, DONE_RECEIVED, COUNTER_MADE_UP_RECEIVED);
}

PROGRAM(on_sock_send_length)
{
  return socket_call(ctx, DONE_SENT, COUNTER_MADE_UP_SENT);
}
#endif
