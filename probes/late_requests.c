/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests that come too late: this side has closed the connection, as nobody had used it for a while,
 * and the kernel answers them with a reset (RFC 9293, 3.10.7: data for a reader that is gone).
 */
#if HAVE_SEND_RESET && WATCH_SOCKETS && HAVE_SOCKET_STATES
#define IDLE_NS 50000000 /* what is closed sooner was closed with its answer */
#define IPV4_PEER 12     /* in a packet's header: the source address (RFC 791) */
#define IPV6_PEER_END 20 /* and its last four bytes (RFC 8200) */

/* Connections that were closed while they were idle, by idle_key(). */
struct closed_idle {
  u64 closed_ns;
  u64 idle_ns; /* since the last write of an answer */
  u32 endpoint;
  u32 generation;
  u32 family;
  u32 reserved;
  u8 peer[16];
};
BPF_TABLE("lru_hash", u64, struct closed_idle, closed_idle, MAX_CLOSED);

/* The ports, and of the peer's address the last four bytes: several hosts use the same port. */
static __always_inline u64 idle_key(u32 local_port, u32 peer_port, u32 peer)
{
  return (u64)peer << 32 | local_port << 16 | peer_port;
}

static __always_inline u64 idle_key_of(u64 sock, u32 local_port, u32 family, u8 *peer)
{
  u32 *words = (u32 *)peer;
  read_peer(peer, sock, family);
  return idle_key(local_port, peer_port_of(sock), family == AF_INET6 ? words[3] : words[0]);
}

/* A new connection has the ports of an earlier one. Servers that close each with its answer never have
 * any to forget. */
static __always_inline void forget_idle_close(u64 sock, u32 port)
{
  u32 peer[4] = {}, counter = COUNTER_IDLE_CLOSES;
  u64 key, *closes = counters.lookup(&counter);
  if (!closes || !*closes)
    return;
  key = idle_key_of(sock, port, MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY), (u8 *)peer);
  closed_idle.delete(&key);
}

/* A process closes its end first. x: the exchange on the connection, which may have been another's: without
 * a last byte no answer has been written on this one. */
static __always_inline void note_idle_close(struct exchange *x, u64 sock)
{
  struct closed_idle c = {.endpoint = x->endpoint, .generation = x->generation};
  u64 key;
  if (x->role != ROLE_SERVER || x->phase != PHASE_IDLE || !x->endpoint || !x->last_bucket)
    return;
  c.closed_ns = bpf_ktime_get_ns();
  c.idle_ns = c.closed_ns - x->written_ns;
  if ((s64)c.idle_ns < IDLE_NS)
    return;
  c.family = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY);
  key = idle_key_of(sock, MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_NUM), c.family, c.peer);
  count(COUNTER_IDLE_CLOSES); /* before there is one to be forgotten */
  closed_idle.update(&key, &c);
}

static __always_inline void count_late_request(struct closed_idle *c, struct endpoint *e)
{
  u64 now = bpf_ktime_get_ns();
  __sync_fetch_and_add(&e->late, 1);
  __sync_fetch_and_add(&e->late_idle_ns, c->idle_ns);
  __sync_fetch_and_add(&e->late_after_ns, now - c->closed_ns);
  e->late_at_ns = now;
  e->late_family = c->family;
  __builtin_memcpy(e->late_peer, c->peer, sizeof(e->late_peer));
}

/* raw tcp_send_reset(sk, skb, reason): skb, which begins with its TCP header, is answered with a reset.
 * Since Linux 6.10 it tells of those for connections in TIME_WAIT, too, which has a third argument. */
PROGRAM(on_send_reset)
{
  u64 skb = ctx->args[1], head, ip, header, key;
  struct closed_idle *c;
  struct endpoint *e;
  u32 index, bytes;
  if (!skb) /* closed with data unread */
    return 0;
  head = read_u64(skb + OFFSET_SKB_HEAD);
  ip = head + read_u16(skb + OFFSET_SKB_NETWORK);
  ip += read_u8(ip) >> 4 == 6 ? IPV6_PEER_END : IPV4_PEER;
  header = head + read_u16(skb + OFFSET_SKB_TRANSPORT);
  key = idle_key(swap16(read_u16(header + 2)), swap16(read_u16(header)), read_u32(ip));
  c = closed_idle.lookup(&key);
  if (!c)
    return 0;
  bytes = read_u32(skb + OFFSET_SKB_LEN) - 4 * (read_u8(header + 12) >> 4);
  if ((s32)bytes <= FAREWELL_BYTES)
    return 0;
  index = c->endpoint - 1;
  e = endpoints.lookup(&index);
  if (e && e->generation == c->generation)
    count_late_request(c, e);
  closed_idle.delete(&key); /* its other segments are the same request's */
  return 0;
}
#else
static __always_inline void forget_idle_close(u64 sock, u32 port)
{
}

static __always_inline void note_idle_close(struct exchange *x, u64 sock)
{
}
#endif
