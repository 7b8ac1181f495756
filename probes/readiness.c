/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Since when data has been lying on a socket unread: the delay until the program picks it up.
 * An entry holds the exchange on the connection, too (exchanges.c).
 *
 * Entries have several writers: sk_data_ready on any CPU, the reading thread on its own. Each
 * stores whole words, so a date is never torn; data that arrives just while a read ends may be
 * dated by the arrival before it.
 */
#define READINESS_PENDING (1ULL << 63) /* no inode has so high a number */
#define READINESS_UNIX (1ULL << 62)

static __always_inline u64 pending_socket(u32 local_port, u32 peer_port)
{
  return READINESS_PENDING | (local_port << 16) | peer_port;
}

static __always_inline u32 pending_port(u64 inode)
{
  return (inode >> 16) & 0xffff;
}

static __always_inline u64 pending_unix_socket(u32 listener)
{
  return READINESS_PENDING | READINESS_UNIX | listener;
}

/* How many entries readiness may have of sockets with the hash of this one. */
static __always_inline u32 *watched_place(u64 sock)
{
  u64 hash = sock * 0x9e3779b97f4a7c15ULL;
  u32 place = hash >> (64 - WATCHED_BITS);
  struct marks *m = watched.lookup(&place);
  return m ? &m->marks[(hash >> 32) & (WATCHED_MARKS - 1)] : NULL;
}

static __always_inline int maybe_watched(u64 sock)
{
  u32 *place = watched_place(sock);
  return place && *place;
}

static __always_inline struct readiness *fresh_readiness(u64 sock, u64 inode)
{
  struct readiness fresh = {.inode = inode};
  u32 *place = watched_place(sock);
  if (!place)
    return NULL;
  __sync_fetch_and_add(place, 1); /* before there is an entry to be missed */
  if (readiness.insert(&sock, &fresh)) {
    readiness.update(&sock, &fresh); /* there was one, which is counted */
    if (*place > 1)
      __sync_fetch_and_add(place, -1);
  }
  return readiness.lookup(&sock);
}

/* Its address is reused. */
static __always_inline void forget_readiness(u64 sock)
{
  u32 *place = watched_place(sock);
  if (!readiness.delete(&sock) && place && *place)
    __sync_fetch_and_add(place, -1);
}

/* A connection that the peer has reset, or that has ended otherwise: nothing will tell of it any more. A
 * socket that is yet to connect has no peer. */
static __always_inline int has_ended(struct object *o)
{
  return o->kind == KIND_TCP && o->peer_port &&
         MEMBER(u8, o->sock, TYPE_SOCK, OFFSET_SOCK_STATE) == TCP_CLOSE;
}

/* The exchange in that place, if it is the one on this socket. Where there is one it has the dates of
 * arrivals. */
static __always_inline struct exchange *exchange_at(u32 place, u64 sock)
{
  u32 index = place - 1;
  struct exchange *x = WATCH_SOCKETS ? exchanges.lookup(&index) : NULL;
  if (x && x->sock != sock)
    x = NULL;
  asm volatile("" : "+r"(x)); /* keeps clang 19 from comparing sockets where x is tested later */
  return x;
}

#if WATCH_SOCKETS
/* A request that came before the thread was followed, on a connection that no followed thread has used
 * yet: it may have been read and answered since, which nobody saw. */
static __always_inline void forget_arrival(struct readiness *r, u64 sock, u64 followed_ns)
{
  struct exchange *x = exchange_at(r->exchange, sock);
  if (!x || x->endpoint || x->since_ns >= followed_ns || !leave_phase(x, PHASE_ARRIVED))
    return;
  x->since_ns = x->unasked = 0;
  enter_phase(x, PHASE_IDLE);
}

/* From now on sk_data_ready dates data on this socket. Data that came before the accept is dated
 * if the port was known to be listened on; other data that lies there already is not. followed_ns: since
 * when the thread that uses it is looked at, 0: all along. Returns where its exchange is, 0: there is none
 * yet. */
static __always_inline u32 watch_socket(struct object *o, u64 followed_ns)
{
  u64 sock = o->sock, pending;
  struct readiness *known;
  if (!sock || has_ended(o))
    return 0;
  known = readiness.lookup(&sock);
  if (known && followed_ns)
    forget_arrival(known, sock, followed_ns);
  if (known && known->inode == o->inode)
    return known->exchange;
  pending = o->kind == KIND_UNIX ? pending_unix_socket(unix_listener(sock))
                                 : pending_socket(o->local_port, o->peer_port);
  if (known && known->inode == pending) {
    known->inode = o->inode;
    return known->exchange;
  }
  fresh_readiness(sock, o->inode);
  return 0;
}
#endif

/* The same where a descriptor remembers it. */
static __always_inline struct exchange *exchange_of(struct descriptor *d)
{
  u32 index = d->exchange - 1;
  struct exchange *x = WATCH_SOCKETS ? exchanges.lookup(&index) : NULL;
  if (x && x->of != d->sock)
    x = NULL;
  asm volatile("" : "+r"(x)); /* as in exchange_at() */
  return x;
}

/* Where the dates of what lies on a descriptor unread are kept. */
struct dates {
  u64 *since;
  u64 *last;
  struct exchange *exchange;
};

static __always_inline int find_dates(struct descriptor *d, struct dates *dates)
{
  u64 sock = d->sock;
  struct exchange *x = exchange_of(d);
  struct readiness *r;
  if (!x) {
    r = sock ? readiness.lookup(&sock) : NULL;
    if (!r)
      return 0;
    x = exchange_at(r->exchange, sock);
    dates->since = &r->since_ns;
    dates->last = &r->last_ns;
  }
  dates->exchange = x;
  if (x) {
    dates->since = &x->since_ns;
    dates->last = &x->last_ns;
  }
  return 1;
}

/* The end of the stream was read, or a connection was accepted: nothing is left unread. */
static __always_inline void settle(struct descriptor *d)
{
  struct dates dates = {};
  if (find_dates(d, &dates) && *dates.since)
    *dates.since = *dates.last > *dates.since ? *dates.last : 0;
}

/* The struct socket of a socket that a process has, 0: it is not accepted yet. */
static __always_inline u64 socket_of(u64 sock)
{
  return MEMBER(u64, sock, TYPE_SOCK, OFFSET_SOCK_SOCKET);
}

/* The inode number of a socket that a process has. */
static __always_inline u64 inode_of_sock(u64 sock)
{
  return MEMBER(u64, socket_of(sock) - OFFSET_SOCKET_ALLOC_SOCKET, TYPE_SOCKET_ALLOC,
                OFFSET_SOCKET_ALLOC_INODE + OFFSET_INODE_INO);
}

/* Buffers in a socket's receive queue. */
static __always_inline u32 queued_on(u64 sock)
{
  return MEMBER(u32, sock, TYPE_SOCK, OFFSET_SOCK_QUEUED);
}

/* A read has taken data off a socket: add the time that the data had been lying there. */
static __always_inline void pick_up(struct thread *t, struct descriptor *d,
                                    const struct call_sums *s)
{
  u64 taken = s->taken_ns, since;
  struct dates dates = {};
  if (s->peeks || !find_dates(d, &dates))
    return;
  if (dates.exchange)
    take_arrival(t, dates.exchange);
  since = *dates.since;
  if (since && since <= taken) {
    u64 delay = taken - since;
    u32 bucket = bucket_of(t, delay) >> PICKUP_SHIFT;
    d->pickups++;
    if (delay > d->pickup_max_ns)
      d->pickup_max_ns = delay;
    if (bucket < PICKUP_BUCKETS)
      d->pickup[bucket]++;
  }
  /* The read filled its buffer and data is left, which has been waiting as long. */
  if (s->asked_bytes && s->bytes >= s->asked_bytes && queued_on(d->sock))
    return;
  *dates.since = *dates.last > taken ? *dates.last : 0;
}
