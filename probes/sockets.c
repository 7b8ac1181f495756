/* Sockets without probes on system calls (sockets detail): a read or write of one has ended. */
#if DETAIL_SOCKETS
static __always_inline void count_socket_call(struct thread *t, u32 slot, s64 ret, u64 now)
{
  u16 flags = t->call_flags;
  u64 bytes = ret > 0 ? ret : 0;
  struct call *c = call_of(t, slot);
  if (c) {
    BEGIN_UPDATE(c);
    c->upto = t->syscalls;
    c->calls++;
    c->bytes += bytes;
    c->copy_ns += t->call_copy_ns;
    c->filled += flags & CALL_IN && bytes && bytes == t->call_size;
    if (ret == -EAGAIN)
      c->eagain++;
    else if (ret < 0)
      c->errors++;
    END_UPDATE(c);
  }
  if (ret < 0 && ret != -EAGAIN)
    count_error(t, slot, -ret);
  if (t->call_descriptor) {
    t->call_wait_ns = 0; /* its sleeps have been added already */
    add_to_descriptor(t, flags, ret, bytes, 0, now);
  }
}

/* raw sock_recv_length, sock_send_length(sk, ret, flags); current is the caller. A vector of
 * messages comes here once for each of them. */
static __always_inline int socket_call(struct bpf_raw_tracepoint_args *ctx)
{
  u32 slot;
  struct thread *t = thread_of(current_tid(), &slot);
  u64 now;
  if (!t)
    return 0;
  now = bpf_ktime_get_ns();
  BEGIN_UPDATE(t);
  charge_running(t, now);
  END_SLEEP(t, slot);
  t->state = STATE_USER;
  if (look_at_call(t, slot, now) && t->call_flags & (CALL_IN | CALL_OUT))
    count_socket_call(t, slot, (s32)ctx->args[1], now);
  t->in_call = 0;
  t->call_copy_ns = t->call_first_copy_ns = 0;
  END_UPDATE(t);
  return 0;
}

int on_sock_recv_length(struct bpf_raw_tracepoint_args *ctx)
{
  return socket_call(ctx);
}

int on_sock_send_length(struct bpf_raw_tracepoint_args *ctx)
{
  return socket_call(ctx);
}
#endif
