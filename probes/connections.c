/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets as the kernel moves them: connections come and go, data arrives. */
#define RCV_SHUTDOWN 1
#define IPPROTO_TCP 6

#if WATCH_SOCKETS
/* Its address is reused. x: the exchange on it, if there is one. */
static __always_inline void forget_socket(u64 sock, struct exchange *x)
{
  forget_readiness(sock);
  if (!x)
    return;
  abandon_exchange(x);
  x->sock = x->of = 0;
}

/* A connection that waits to be accepted by a traced thread. */
static __always_inline struct readiness *ready_before_accept(u64 sock, struct readiness *r)
{
  u32 port = 0, who;
  u64 inode;
  if (MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY) == AF_UNIX) {
    u32 listener = unix_listener(sock), *known = unix_listeners.lookup(&listener);
    who = known ? *known : 0;
    inode = pending_unix_socket(listener);
  } else {
    port = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_NUM);
    who = listener_of(port);
    inode = pending_socket(port, peer_port_of(sock));
  }
  if (!who) {
    if (r)
      forget_socket(sock, exchange_at(r->exchange, sock));
    return NULL;
  }
  if (!r || r->inode != inode)
    r = fresh_readiness(sock, inode);
  if (r)
    exchange_before_use(r, sock, port, DETAIL_FULL ? 0 : who); /* with calls the accept tells */
  return r;
}

/* A unix socket that was accepted, of which nothing tells in sockets detail. */
static __always_inline struct readiness *ready_unix_before_use(u64 sock, struct readiness *r)
{
  u64 inode = inode_of_sock(sock);
  u32 listener, *who;
  if ((r && r->inode == inode) ||
      MEMBER(u8, sock, TYPE_SOCK, OFFSET_SOCK_STATE) != TCP_ESTABLISHED)
    return r;
  listener = unix_listener(sock);
  who = listener ? unix_listeners.lookup(&listener) : NULL;
  if (!who)
    return r;
  r = fresh_readiness(sock, inode);
  if (r)
    exchange_before_use(r, sock, 0, *who);
  return r;
}

/* A unix socket whose record is of one before it: nothing tells when one is closed. */
static __always_inline int is_later_unix_socket(struct readiness *r, u64 sock)
{
  return !(r->inode & READINESS_PENDING) && r->inode != inode_of_sock(sock);
}

/* Without an accept nothing tells of the next one. */
static __always_inline int is_another_by_now(struct readiness *r, u64 sock)
{
  return DETAIL_SOCKETS && MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY) == AF_UNIX &&
         is_later_unix_socket(r, sock);
}

/* A connection that was accepted before the trace, and that no thread has touched since. */
static __always_inline struct readiness *ready_before_use(u64 sock, struct readiness *r)
{
  u32 family = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY);
  u32 port, who, state;
  if (DETAIL_SOCKETS && family == AF_UNIX)
    return ready_unix_before_use(sock, r);
  port = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_NUM);
  who = listener_of(port);
  if (!who || MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_TYPE) != SOCK_STREAM)
    return r;
  state = MEMBER(u8, sock, TYPE_SOCK, OFFSET_SOCK_STATE);
  if ((family != AF_INET && family != AF_INET6) ||
      (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT))
    return r;
  if (!r)
    r = fresh_readiness(sock, pending_socket(port, peer_port_of(sock)));
  if (r)
    exchange_before_use(r, sock, 0, who);
  return r;
}

/* No traced thread has touched it, and only others listen on its port, as was found out since. */
static __always_inline int is_of_others(struct readiness *r)
{
  return r->inode & READINESS_PENDING && !(r->inode & READINESS_UNIX) &&
         !listener_of(pending_port(r->inode));
}

/* No data of this connection: only the end of its stream; or, of a unix socket, a reader was there
 * first, or it is another socket by now. */
static __always_inline int no_data(struct readiness *r, u64 sock)
{
  if (MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY) == AF_UNIX)
    return !queued_on(sock) || is_later_unix_socket(r, sock);
#if HAVE_STREAM_END
  if (MEMBER(u8, sock, TYPE_SOCK, OFFSET_SOCK_SHUTDOWN) & RCV_SHUTDOWN &&
      MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_PROTOCOL) == IPPROTO_TCP)
    return read_u32(sock + OFFSET_TCP_RECEIVED) - read_u32(sock + OFFSET_TCP_COPIED) <= 1;
#endif
  return 0;
}

/* raw sk_data_ready(sk): something to read has arrived, whether or not a thread waits for it. */
PROGRAM(on_sk_data_ready)
{
  u64 sock = ctx->args[0], now;
  struct readiness *r = NULL;
  struct exchange *x;
  if (maybe_watched(sock))
    r = readiness.lookup(&sock);
  if (!socket_of(sock))
    r = ready_before_accept(sock, r);
  else if (!r || !r->role || is_another_by_now(r, sock))
    r = ready_before_use(sock, r);
  if (!r)
    return 0;
  x = exchange_at(r->exchange, sock);
  if (unlikely(is_of_others(r))) {
    forget_socket(sock, x);
    return 0;
  }
  now = bpf_ktime_get_ns();
  emit_other(EVENT_READY, 0, r->inode, now);
  if (x) {
    if (!no_data(r, sock))
      exchange_arrived(x, now);
    return 0;
  }
  r->last_ns = now;
  if (!r->since_ns)
    r->since_ns = now;
  return 0;
}

#if HAVE_SOCKET_STATES
/* current connects or listens. Full detail has looked its descriptor up when connect(2) was called. */
static __always_inline void begin_connections(u64 sock, u32 state)
{
  u32 slot, port, *who;
  struct thread *t = thread_of(current_tid(), &slot);
  struct readiness *r;
  if (!t)
    return;
  if (state == TCP_LISTEN) {
    port = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_NUM);
    who = port ? listening_ports.lookup(&port) : NULL;
    if (who)
      *who = slot + 1;
    return;
  }
  r = maybe_watched(sock) ? readiness.lookup(&sock) : NULL;
  if (!DETAIL_FULL && (!r || r->inode != inode_of_sock(sock)))
    r = fresh_readiness(sock, inode_of_sock(sock));
  if (r)
    exchange_connecting(t, slot, r, sock);
}

/* Whether an earlier copy of the program has seen this change of state. One change of a socket
 * follows the other: its lock is held. */
static __always_inline int seen_before(u64 sock, u32 new)
{
#if PREEMPTIBLE
  struct readiness *r = maybe_watched(sock) ? readiness.lookup(&sock) : NULL;
  if (r && copy_number() && r->state == new)
    return 1;
  if (r)
    r->state = new;
#endif
  return 0;
}

/* raw inet_sock_set_state(sk, old, new). */
PROGRAM(on_set_state)
{
  u64 sock = ctx->args[0];
  u32 old = ctx->args[1], new = ctx->args[2], port, who;
  struct readiness *r;
  struct exchange *x;
  if (seen_before(sock, new))
    return 0;
  if (old == TCP_SYN_RECV && new == TCP_ESTABLISHED) { /* into the accept queue */
    port = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_NUM);
    who = listener_of(port);
    if (!who)
      return 0;
    forget_idle_close(sock, port);
    r = fresh_readiness(sock, pending_socket(port, peer_port_of(sock)));
    seen_before(sock, new);
    x = r ? exchange_before_use(r, sock, port, DETAIL_FULL ? 0 : who) : NULL;
    if (x)
      x->began_ns = bpf_ktime_get_ns();
    return 0;
  }
  if (new == TCP_SYN_SENT || new == TCP_LISTEN) {
    begin_connections(sock, new);
    return 0;
  }
  if (old != TCP_SYN_SENT && new != TCP_FIN_WAIT1 && new != TCP_LAST_ACK && new != TCP_CLOSE)
    return 0; /* nothing to do, half of the time */
  if (!maybe_watched(sock))
    return 0;
  r = readiness.lookup(&sock);
  if (!r)
    return 0;
  x = exchange_at(r->exchange, sock);
  if (x && old == TCP_SYN_SENT)
    exchange_connected(x, new == TCP_ESTABLISHED);
  if (x && new == TCP_FIN_WAIT1)
    note_idle_close(x, sock);
  if (x && (new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK || new == TCP_CLOSE))
    exchange_closed(x);
  if (new == TCP_CLOSE)
    forget_socket(sock, x);
  return 0;
}
#endif
#endif
