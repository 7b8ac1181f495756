/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoints: whose exchanges are added up together, and the adding. */
#define NO_ENDPOINT 0xffffffff /* there was no room for it */

#if WATCH_SOCKETS
/* As unbounded() in ledger.c. */
static __always_inline u64 unbounded_number(struct exchange *x, u64 number)
{
  *(volatile u64 *)&x->scratch = number;
  return *(volatile u64 *)&x->scratch;
}

/* The bucket of a histogram, without bounds that the verifier would know, of it or of ns. */
static __always_inline u64 exchange_bucket(struct exchange *x, u64 ns)
{
  return unbounded_number(x, fine_bucket(unbounded_number(x, ns)));
}

static __always_inline int allocate_endpoint(u32 *index)
{
  if (next_unused(COUNTER_ENDPOINTS, MAX_ENDPOINTS, index))
    return 1;
  return free_endpoints.pop(index) == 0;
}

static __always_inline int allocate_tier(u32 *index)
{
  if (next_unused(COUNTER_TIERS, MAX_TIERS, index))
    return 1;
  return free_tiers.pop(index) == 0;
}

/* The endpoint of a connection; the record may be used for another one by now. */
static __always_inline struct endpoint *endpoint_of(struct exchange *x)
{
  u32 index = x->endpoint - 1;
  struct endpoint *e = endpoints.lookup(&index);
  return e && e->generation == x->generation ? e : NULL;
}

static __always_inline void enter_endpoint(struct exchange *x, struct endpoint_key *key, u64 sock)
{
  u32 index = 0, *known = endpoint_index.lookup(key);
  struct endpoint *e;
  if (known) {
    index = *known;
  } else if (!allocate_endpoint(&index)) {
    count(COUNTER_LOST_ENDPOINTS);
    x->endpoint = NO_ENDPOINT;
    return;
  }
  e = endpoints.lookup(&index);
  if (!e)
    return;
  if (!known) {
    e->pid = key->pid;
    e->role = key->role;
    e->kind = key->kind;
    e->family = key->family;
    e->port = key->port;
    __builtin_memcpy(e->address, key->address, sizeof(e->address));
    if (key->kind == KIND_UNIX)
      unix_path(e->path, key->role == ROLE_SERVER ? sock : unix_peer(sock));
    endpoint_index.update(key, &index);
  }
  x->endpoint = index + 1;
  x->generation = e->generation;
}

/* Where to add what cannot wait for another CPU that has the endpoint locked. */
static __always_inline struct endpoint *overflow_of(struct endpoint *e)
{
  u32 index = e->overflow - 1;
  struct endpoint *o;
  if (e->overflow)
    return endpoints.lookup(&index);
  if (!allocate_endpoint(&index)) {
    count(COUNTER_LOST_ENDPOINTS);
    return NULL;
  }
  o = endpoints.lookup(&index);
  if (!o)
    return NULL;
  o->role = e->role;
  o->kind = e->kind;
  o->family = e->family;
  o->port = e->port;
  __builtin_memcpy(o->address, e->address, sizeof(o->address));
  __builtin_memcpy(o->path, e->path, sizeof(o->path));
  o->pid = e->pid;
  e->overflow = index + 1; /* of two at the same time one record stays empty */
  return o;
}

#define ADD(place, value, locked)                \
  do {                                           \
    if (locked)                                  \
      *(place) += (value);                       \
    else                                         \
      __sync_fetch_and_add((place), (value));    \
  } while (0)

/* Most parts are 0: adding them costs less than asking, unless it is done atomically. */
#define ADD_PARTS(to, parts, number, locked)              \
  do {                                                    \
    _Pragma("unroll") for (int i_ = 0; i_ < number; i_++) \
      if (locked || (parts)[i_])                          \
        ADD(&(to)[i_], (parts)[i_], locked);              \
  } while (0)

static __always_inline void add_in_bucket(u32 *histogram, u64 bucket, u64 *max_ns, u64 ns,
                                          int locked)
{
  if (bucket < FINE_BUCKETS)
    ADD(&histogram[bucket], 1, locked);
  if (ns > *max_ns)
    atomic_max(max_ns, ns);
}

static __always_inline void add_time(struct exchange *x, u32 *histogram, u64 *max_ns, u64 ns,
                                     int locked)
{
  add_in_bucket(histogram, exchange_bucket(x, ns), max_ns, ns, locked);
}

/* The tier of a latency; it gets its record when it is first needed. */
static __always_inline struct tier *tier_of(struct exchange *x, struct endpoint *e, u64 bucket)
{
  u64 number = 0, *place;
  u32 index;
  if (bucket >= TIER_FIRST_BUCKET)
    number = 1 + (bucket - TIER_FIRST_BUCKET) / TIER_BUCKETS;
  number = unbounded_number(x, number);
  if (number >= TIERS)
    return NULL;
  place = &e->tiers[number];
  if (!*place) {
    if (!allocate_tier(&index)) {
      count(COUNTER_LOST_ENDPOINTS);
      return NULL;
    }
    __sync_val_compare_and_swap(place, 0, index + 1); /* another CPU may have been first */
  }
  index = *place - 1;
  return tiers.lookup(&index);
}

/* What an exchange adds. queue_ns: server: waiting to be accepted; client: for the answer. */
struct exchange_times {
  u64 latency_ns;
  u64 queue_ns;
  u64 pickup_ns;
  u64 service_ns;
  u64 dated; /* all of this is known */
  /* Parts on a CPU. Those off it are with the exchange. */
  u64 pickup[CPU_PARTS];
  u64 service[CPU_PARTS];
};

static __always_inline void add_exchange(struct exchange *x, struct endpoint *e,
                                         const struct exchange_times *s, int locked)
{
  u64 bucket = exchange_bucket(x, s->latency_ns);
  struct tier *tier = tier_of(x, e, bucket);
  if (x->unknown)
    ADD(&e->unknown, 1, locked);
  add_in_bucket(e->latency, bucket, &e->latency_max_ns, s->latency_ns, locked);
  add_time(x, e->pickup, &e->pickup_max_ns, s->pickup_ns, locked);
  add_time(x, e->service, &e->service_max_ns, s->service_ns, locked);
  if (!tier)
    return;
  if (s->queue_ns)
    ADD(&tier->queue_ns, s->queue_ns, locked);
  ADD_PARTS(tier->pickup, s->pickup, CPU_PARTS, locked);
  if (x->off_cpu & OFF_CPU_PICKUP)
    ADD_PARTS(tier->pickup_off_cpu, x->pickup, OFF_CPU_PARTS, locked);
  if (x->role == ROLE_CLIENT)
    return;
  ADD_PARTS(tier->service, s->service, CPU_PARTS, locked);
  if (x->off_cpu & OFF_CPU_SERVICE)
    ADD_PARTS(tier->service_off_cpu, x->service, OFF_CPU_PARTS, locked);
}

/* The slow call with the longest wait while the exchange was under way. */
static __always_inline void keep_longest_wait_of(struct thread *t, struct exchange *x,
                                                 struct exemplar *kept)
{
  u64 longest = 0;
  kept->stack = 0;
#if PYTHON
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < SLOW_CALLS; i++) {
    s64 wait = t->slow_woken_ns[i] - x->arrived_ns;
    if (wait > (s64)t->slow_wait_ns[i])
      wait = t->slow_wait_ns[i];
    if (wait > (s64)longest) {
      longest = wait;
      kept->stack = t->slow_stacks[i];
      kept->call_nr = t->slow_nrs[i];
      kept->call_kind = t->slow_kinds[i];
    }
  }
#endif
  kept->call_wait_ns = longest;
}

/* Keep one of the slowest: it takes the place of the fastest of those that are kept. */
static __always_inline void keep_exemplar(struct thread *t, struct exchange *x, struct endpoint *e,
                                          const struct exchange_times *s)
{
  u64 least = ~0ULL, second = ~0ULL, sock = x->sock;
  u32 index = 0, place = 0;
  struct exemplar *kept;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < EXEMPLARS; i++) {
    index = (x->endpoint - 1) * EXEMPLARS + i;
    kept = exemplars.lookup(&index);
    if (kept && kept->latency_ns < least) {
      second = least;
      least = kept->latency_ns;
      place = index;
    } else if (kept && kept->latency_ns < second) {
      second = kept->latency_ns;
    }
  }
  kept = exemplars.lookup(&place);
  if (!kept)
    return;
  update_begin(&kept->seq);
  kept->tid = t->tid;
  kept->arrived_ns = x->arrived_ns;
  kept->latency_ns = s->latency_ns;
  kept->queue_ns = s->queue_ns;
  kept->family = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY);
  kept->peer_port = peer_port_of(sock);
  read_peer(kept->peer, sock, kept->family);
  keep_longest_wait_of(t, x, kept);
  COPY_CPU_PARTS(kept->pickup, s->pickup);
  COPY_CPU_PARTS(kept->service, s->service);
#pragma unroll
  for (int i = 0; i < OFF_CPU_PARTS; i++) {
    kept->pickup[CPU_PARTS + i] = x->off_cpu & OFF_CPU_PICKUP ? x->pickup[i] : 0;
    kept->service[CPU_PARTS + i] = x->off_cpu & OFF_CPU_SERVICE ? x->service[i] : 0;
  }
  update_end(&kept->seq);
  t->kept_exemplar = place + 1;
  e->slowest_ns = s->latency_ns < second ? s->latency_ns : second;
}

static __always_inline void account_exchange(struct thread *t, struct exchange *x,
                                             struct endpoint *e, const struct exchange_times *s)
{
  int locked = !__sync_val_compare_and_swap(&e->busy, 0, 1);
  if (!locked)
    e = overflow_of(e);
  if (!e)
    return;
  add_exchange(x, e, s, locked);
  if (!locked)
    return;
  if (x->role == ROLE_SERVER && s->latency_ns > e->slowest_ns)
    keep_exemplar(t, x, e, s);
  store_barrier();
  *(volatile u64 *)&e->busy = 0;
}

/* The answer has got longer: its last byte is now. */
static __always_inline void add_last_byte(struct exchange *x, struct endpoint *e, u64 now)
{
  u64 ns = now - x->arrived_ns;
  u64 bucket = exchange_bucket(x, ns), before = (u64)x->last_bucket - 1;
  x->written_ns = now;
  if (ns > e->last_byte_max_ns)
    atomic_max(&e->last_byte_max_ns, ns);
  if (bucket == before)
    return;
  if (bucket < FINE_BUCKETS)
    __sync_fetch_and_add(&e->last_byte[bucket], 1);
  if (before < FINE_BUCKETS)
    __sync_fetch_and_add(&e->last_byte[before], -1);
  x->last_bucket = bucket + 1;
}
#endif
