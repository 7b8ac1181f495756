/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The border between wait and copy inside a receive, and when data arrives on a socket. */

#if HAVE_SKB_COPY
/* raw skb_copy_datagram_iovec(skb, len): the kernel starts to copy a buffer to current. */
PROGRAM(on_skb_copy)
{
  u32 slot;
  struct thread *t = thread_of(current_tid(), &slot);
  u64 now;
  if (!t || already_done(t, DONE_COPY) || t->state == STATE_COPY ||
      (DETAIL_FULL && !t->in_call))
    return 0;
  preempt_off();
  now = bpf_ktime_get_ns();
  update_begin(&t->seq);
  charge_running(t, DETAIL_FULL ? STATE_KERNEL : STATE_USER, now);
  t->state = STATE_COPY;
  if (!t->call_first_copy_ns)
    t->call_first_copy_ns = now;
  emit_thread(t, EVENT_COPY, 0, now);
  update_end(&t->seq);
  preempt_on();
  return 0;
}
#endif

#if WATCH_SOCKETS
/* Data has arrived on a connection that is not accepted yet. */
static __always_inline int ready_before_accept(u64 sock)
{
  u32 port = read_u16(sock + OFFSET_SOCK_NUM);
  struct readiness fresh = {}, *r;
  if (!listening_ports.lookup(&port))
    return 0;
  fresh.inode = pending_socket(port, swap16(read_u16(sock + OFFSET_SOCK_DPORT)));
  fresh.since_ns = fresh.last_ns = bpf_ktime_get_ns();
  mark_watched(sock);
  r = readiness.lookup(&sock);
  if (r && r->inode == fresh.inode)
    r->last_ns = fresh.last_ns;
  else
    readiness.update(&sock, &fresh);
  return 0;
}

/* The struct socket of a socket that a process has, 0: it is not accepted yet. */
static __always_inline u64 socket_of(u64 sock)
{
  return MEMBER(u64, sock, TYPE_SOCK, OFFSET_SOCK_SOCKET);
}

/* raw sk_data_ready(sk): something to read has arrived, whether or not a thread waits for it. */
PROGRAM(on_sk_data_ready)
{
  u64 sock = ctx->args[0], now;
  struct readiness *r;
  if (!socket_of(sock))
    return ready_before_accept(sock);
  if (!maybe_watched(sock))
    return 0;
  r = readiness.lookup(&sock);
  if (!r)
    return 0;
  now = bpf_ktime_get_ns();
  r->last_ns = now;
  if (!r->since_ns)
    r->since_ns = now;
  emit_other(EVENT_READY, 0, r->inode, now);
  return 0;
}
#endif
