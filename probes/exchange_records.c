/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The record of the exchange on a connection: made, found, used again. */
#if WATCH_SOCKETS
/* Is this record free? Its connection may have been forgotten: readiness is an LRU map. */
static __always_inline int claim_exchange(struct exchange *x, u32 index, u64 sock)
{
  u64 before = x->sock;
  struct readiness *r = before ? readiness.lookup(&before) : NULL;
  if (r && r->exchange == index + 1)
    return 0;
  return __sync_val_compare_and_swap(&x->sock, before, sock) == before;
}

/* The thread that has read its request has it no longer in hand: another one has answered, or nobody
 * ever will. */
static __always_inline void take_from_reader(struct exchange *x)
{
  u32 slot = x->slot - 1;
  struct thread *reader = threads.lookup(&slot);
  if (reader && reader->tid == x->base_tid)
    __sync_fetch_and_add(&reader->given, 1);
}

/* Its connection is over, at our end at least: nothing is owed any more. */
static __always_inline void abandon_exchange(struct exchange *x)
{
  if (x->phase == PHASE_SERVED)
    take_from_reader(x);
  x->since_ns = 0;
  store_barrier();
  *(volatile u64 *)&x->phase = PHASE_IDLE;
}

#define EXCHANGE_TRIES 8
static __always_inline struct exchange *new_exchange(struct readiness *r, u64 sock)
{
  u32 counter = COUNTER_EXCHANGES, index;
  u64 *next = counters.lookup(&counter);
  struct exchange *x;
  if (!next)
    return NULL;
#pragma clang loop unroll(disable)
  for (int i = 0; i < EXCHANGE_TRIES; i++) {
    index = fetch_and_add(next, 1) & (MAX_EXCHANGES - 1);
    x = exchanges.lookup(&index);
    if (!x || !claim_exchange(x, index, sock))
      continue;
    abandon_exchange(x);
    x->of = sock;
    x->role = x->endpoint = x->unasked = x->last_bucket = x->port = x->slot = 0;
    x->began_ns = x->accepted_ns = 0;
    x->since_ns = r->since_ns; /* from here on it is dated here */
    x->last_ns = r->last_ns;
    r->since_ns = 0;
    r->exchange = index + 1;
    return x;
  }
  count(COUNTER_LOST_ENDPOINTS);
  return NULL;
}

/* A connection that no traced thread has touched yet. port: nobody has accepted it. who: it is older
 * than the trace, and the thread that accepts there may have it. */
static __always_inline struct exchange *exchange_before_use(struct readiness *r, u64 sock, u32 port,
                                                            u32 who)
{
  struct exchange *x = exchange_at(r->exchange, sock);
  if (!x)
    x = new_exchange(r, sock);
  if (!x)
    return NULL;
  x->role = r->role = ROLE_SERVER;
  x->port = port;
  x->slot = who;
  return x;
}
#else
static __always_inline void abandon_exchange(struct exchange *x)
{
}

static __always_inline struct exchange *exchange_before_use(struct readiness *r, u64 sock, u32 port,
                                                            u32 who)
{
  return NULL;
}
#endif
