/* The border between wait and copy inside one receive, and when data arrived. */

#if HAVE_SKB_COPY
/* raw skb_copy_datagram_iovec(skb, len): the kernel starts to copy a buffer to current. */
PROGRAM(on_skb_copy)
{
  u32 slot;
  struct thread *t = thread_of(current_tid(), &slot);
  u64 now;
  if (!t || t->state == STATE_COPY || (DETAIL_FULL && !t->in_call))
    return 0;
  now = bpf_ktime_get_ns();
  BEGIN_UPDATE(t);
  charge_running(t, DETAIL_FULL ? STATE_KERNEL : STATE_USER, now);
  t->state = STATE_COPY;
  if (!t->call_first_copy_ns)
    t->call_first_copy_ns = now;
  TIMELINE_EVENT(t, EVENT_COPY, 0, now);
  END_UPDATE(t);
  return 0;
}
#endif

#if WATCH_SOCKETS
/* Data on a connection that nobody has accepted yet. */
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

/* The struct socket that a process holds, 0: nobody has accepted it yet. */
static __always_inline u64 socket_of(u64 sock)
{
  return MEMBER(u64, sock, TYPE_SOCK, OFFSET_SOCK_SOCKET);
}

/* raw sk_data_ready(sk): something to read has arrived, whoever waits or doesn't. */
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
  TIMELINE_READY(r->inode, now);
  return 0;
}
#endif
