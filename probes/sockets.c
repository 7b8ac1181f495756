/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets without probes on system calls (sockets detail): a read or write of a socket has ended.
 *
 * The thread's call in progress may be a sleep that is not added up yet (sleeps.c), so nothing of
 * it is changed but the copy, which belongs to this call.
 */
#if DETAIL_SOCKETS
/* The record of a descriptor whose socket is known, so that the fd table need not be asked. */
static __always_inline struct descriptor *descriptor_of_sock(struct thread *t, u32 slot, u32 fd,
                                                             u64 sock)
{
  u32 found = 0;
  struct descriptor *d = descriptor_at(t, slot, fd, &found);
  if (d && d->sock == sock && d->inode == inode_of_sock(sock))
    return d;
  return resolve_descriptor(t, slot, fd, 0, &found);
}

/* raw sock_recv_length, sock_send_length(sk, ret, flags); current is the caller. Called once for
 * each message of a vector. */
static __always_inline int socket_call(struct bpf_raw_tracepoint_args *ctx, u32 event)
{
  u32 slot, number;
  struct thread *t = thread_of(current_tid(), &slot);
  struct call_sums s = {.calls = 1, .ret = (s32)ctx->args[1]};
  struct call_spec *spec;
  struct descriptor *d;
  struct arguments args;
  u64 regs;
  if (!t || t->io_worker || already_done(t, event))
    return 0;
  regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
  LOAD("u32", number, regs, OFFSET_CALL_NUMBER);
  spec = call_specs.lookup(&number);
  if (!spec || !(spec->flags & (CALL_IN | CALL_OUT)) || spec->fd_arg != ARGUMENT_0)
    return 0;
  find_arguments(&args, regs);
  s.nr = number;
  s.flags = spec->flags;
  s.peeks = !!(ctx->args[2] & MSG_PEEK);
  s.asked_bytes = spec->size_arg == ARGUMENT_2 ? args.words[ARGUMENT_2] : 0;
  if (s.ret > 0)
    s.bytes = s.ret;
  preempt_off();
  update_begin(&t->seq);
  if (t->state == STATE_COPY) {
    charge_running(t, STATE_COPY, bpf_ktime_get_ns());
    t->state = STATE_USER;
  }
  d = descriptor_of_sock(t, slot, args.words[ARGUMENT_0], ctx->args[0]);
  if (d && d->sock == ctx->args[0]) { /* else splice: the socket is not its first argument */
    s.kind = d->kind;
    s.copy_ns = t->call_copy_ns;
    s.taken_ns = t->call_first_copy_ns;
    if (!s.taken_ns && s.bytes)
      s.taken_ns = bpf_ktime_get_ns();
    account_descriptor(t, d, &s);
    account_call(t, slot, &s);
  }
  t->call_copy_ns = t->call_first_copy_ns = 0;
  update_end(&t->seq);
  preempt_on();
  return 0;
}

PROGRAM(on_sock_recv_length)
{
  return socket_call(ctx, DONE_RECEIVED);
}

PROGRAM(on_sock_send_length)
{
  return socket_call(ctx, DONE_SENT);
}
#endif
