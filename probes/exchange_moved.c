/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where sys_exit, or in sockets detail the probe on the call, goes on with a call that has moved data on a
 * stream socket, or accepted. */
#if WATCH_SOCKETS
#if DETAIL_FULL
static __always_inline void connection_accepted(struct thread *t, u32 slot, u32 fd)
{
  u32 index = t->call_descriptor - 1;
  struct descriptor *listener = descriptors.lookup(&index);
  struct object o = {};
  struct readiness *r;
  struct exchange *x;
  u64 sock;
  resolve(fd, &o);
  sock = o.sock;
  if (!sock || has_ended(&o))
    return;
  watch_socket(&o, 0);
  if (!listener || (o.kind != KIND_TCP && o.kind != KIND_UNIX))
    return;
  r = readiness.lookup(&sock);
  x = r ? exchange_before_use(r, sock, 0, 0) : NULL;
  if (x)
    exchange_accepted(t, slot, listener, x);
}
#endif

/* Both ends had closed it before this thread first used it: it has no port any more that would tell
 * which end we have. */
static __always_inline int is_over(struct descriptor *d)
{
  return d->kind == KIND_TCP && !d->local_port;
}

/* The exchange on a connection, whose descriptor remembers it. */
static __always_inline struct exchange *exchange_on(struct thread *t, u32 slot, struct descriptor *d)
{
  u64 sock = d->sock;
  struct exchange *x = exchange_of(d);
  struct readiness *r;
  if (likely(x && x->endpoint))
    return x;
  r = sock ? readiness.lookup(&sock) : NULL;
  if (!r || r->role == ROLE_NONE)
    return NULL;
  if (MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_TYPE) != SOCK_STREAM ||
      (d->kind == KIND_UNIX && !unix_listener(sock) && !unix_listener(unix_peer(sock)))) {
    r->role = ROLE_NONE; /* messages, or a pair of sockets */
    return NULL;
  }
  x = exchange_at(r->exchange, sock);
  if (!x && is_over(d))
    return NULL;
  if (!x)
    x = new_exchange(r, sock);
  if (!x)
    return NULL;
  if (!x->endpoint)
    meet_exchange(t, slot, d, r, x);
  d->exchange = r->exchange;
  return x->endpoint ? x : NULL;
}

static __always_inline void data_moved(struct thread *t, u32 slot, s64 bytes)
{
  u32 index = moved_descriptor(t) - 1;
  struct descriptor *d = descriptors.lookup(&index);
  struct exchange *x = d ? exchange_on(t, slot, d) : NULL;
  struct endpoint *e = x ? endpoint_of(x) : NULL;
  struct exchange_times s = {};
  int over = 0;
  if (!e)
    return;
  if (!bytes)
    exchange_ended(t, x);
  else if (moved_flags(t) & CALL_OUT)
    over = exchange_written(t, slot, x, e, &s, bytes);
  else
    over = exchange_read(t, slot, x, e, &s);
  if (over)
    end_exchange(t, x, e, &s);
}

#if DETAIL_FULL
/* Entered from sys_exit: data was moved on a stream socket, or a connection accepted. */
PROGRAM(on_exchange)
{
  u32 slot;
  struct thread *t = caller(ctx->args[0], &slot);
  if (!t)
    return 0;
  preempt_off();
  if (t->call_flags & CALL_ACCEPTS)
    connection_accepted(t, slot, result_of(ctx));
  else
    data_moved(t, slot, result_of(ctx));
  preempt_on();
  name_exchange_task(ctx, t); /* does not return where it makes a tail call */
  walk_slow_call(ctx, t, t->call_ended_ns);
  return 0;
}
#else
/* Entered from on_sock_recv_length and on_sock_send_length: data was moved on a stream socket. */
PROGRAM(on_exchange)
{
  u32 slot;
  struct thread *t = thread_of(current_tid(), &slot);
  if (!t)
    return 0;
  preempt_off();
  data_moved(t, slot, result_of(ctx));
  preempt_on();
  return 0;
}
#endif
#endif
