/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exchanges: when connections are made, met and closed; which end of them a process has. */
#if WATCH_SOCKETS
#if DETAIL_FULL
/* By current, which accepts. */
static __always_inline void exchange_accepted(struct thread *t, u32 slot,
                                              struct descriptor *listener, struct exchange *x)
{
  struct endpoint_key key = {.pid = t->pid, .role = ROLE_SERVER, .kind = listener->kind};
  u64 sock = x->sock;
  struct endpoint *e;
  key.port = listener->kind == KIND_UNIX ? unix_listener(sock) : listener->local_port;
  x->port = 0;
  x->slot = slot + 1;
  if (x->phase == PHASE_ARRIVED && x->since_ns < t->since_ns) { /* from here on it is for current to pick the data up */
    x->accepted_ns = t->since_ns;
    COPY_CPU_SUMS(x->at, t);
    base_on(t, x);
  }
  enter_endpoint(x, &key, sock);
  e = endpoint_of(x);
  if (!e)
    return;
  __sync_fetch_and_add(&e->accepted, 1);
  if (x->began_ns && x->began_ns < t->since_ns)
    add_time(x, e->setup, &e->setup_max_ns, t->since_ns - x->began_ns, 0);
  if (x->accepted_ns)
    emit_part(t, EVENT_EXCHANGE_QUEUED, e, -1, x->accepted_ns - x->since_ns);
}
#endif

/* Nothing tells of an accept (sockets detail). Current reads a connection that came in since the trace
 * began, so somebody has accepted it; the next one may well be current's, too. Whoever was expected to
 * read this one did not have it. */
static __always_inline void accepted_unseen(struct thread *t, u32 slot, struct descriptor *d,
                                            struct exchange *x, struct endpoint *e)
{
  x->port = 0;
  listen_on(d, slot);
  if (x->base_tid != t->tid)
    x->base_tid = 0;
  __sync_fetch_and_add(&e->accepted, 1);
}

/* By current, which connects. */
static __always_inline void exchange_connecting(struct thread *t, u32 slot, struct readiness *r,
                                                u64 sock)
{
  struct endpoint_key key = {.pid = t->pid, .role = ROLE_CLIENT, .kind = KIND_TCP};
  struct exchange *x = exchange_at(r->exchange, sock);
  if (!x)
    x = new_exchange(r, sock);
  if (!x)
    return;
  key.family = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY);
  key.port = peer_port_of(sock);
  read_peer(key.address, sock, key.family);
  x->role = r->role = ROLE_CLIENT;
  x->slot = slot + 1;
  x->began_ns = bpf_ktime_get_ns();
  enter_endpoint(x, &key, sock);
}

static __always_inline void exchange_connected(struct exchange *x, int established)
{
  struct endpoint *e = endpoint_of(x);
  u64 now = bpf_ktime_get_ns();
  if (!e)
    return;
  if (!established)
    __sync_fetch_and_add(&e->connect_errors, 1);
  else if (x->began_ns && now > x->began_ns)
    add_time(x, e->setup, &e->setup_max_ns, now - x->began_ns, 0);
  x->began_ns = 0;
}

/* Data moves on a connection that was made in another way, or before the trace: which end is it? */
static __always_inline void meet_exchange(struct thread *t, u32 slot, struct descriptor *d,
                                          struct readiness *r, struct exchange *x)
{
  struct endpoint_key key = {.pid = t->pid, .kind = d->kind};
  u64 sock = x->sock;
  struct endpoint *e;
  int pending = x->port || (d->kind == KIND_UNIX && r->role == ROLE_SERVER);
  if (d->kind == KIND_UNIX) {
    key.port = unix_listener(sock);
    key.role = ROLE_SERVER;
    if (!key.port) {
      key.port = unix_listener(unix_peer(sock));
      key.role = ROLE_CLIENT;
    }
  } else if (is_listened_on(d->local_port)) {
    key.port = d->local_port;
    key.role = ROLE_SERVER;
  } else if (!bound_by_connect(sock)) {
    count(COUNTER_UNTOLD_CONNECTIONS);
    x->role = r->role = ROLE_NONE;
    return;
  } else {
    key.port = d->peer_port;
    key.family = d->family;
    key.role = ROLE_CLIENT;
    __builtin_memcpy(key.address, d->peer, sizeof(key.address));
  }
  x->role = r->role = key.role;
  x->slot = slot + 1;
  enter_endpoint(x, &key, sock);
  if (DETAIL_FULL || key.role != ROLE_SERVER)
    return;
  e = endpoint_of(x);
  if (!e)
    return;
  /* Here, before pending is looked at: clang 18 would test both at once, and the verifier not know. */
  asm volatile("" : "+r"(e));
  if (pending)
    accepted_unseen(t, slot, d, x, e);
  else if (d->kind == KIND_UNIX)
    listen_on(d, slot); /* from here on data is dated that comes before an accept */
}

static __always_inline void exchange_closed(struct exchange *x)
{
  struct endpoint *e;
  if (x->role == ROLE_CLIENT && x->phase != PHASE_IDLE) {
    e = endpoint_of(x);
    if (e)
      __sync_fetch_and_add(&e->in_flight, -1);
  }
  abandon_exchange(x);
}
#else
static __always_inline void exchange_closed(struct exchange *x)
{
}

static __always_inline void exchange_connected(struct exchange *x, int established)
{
}

static __always_inline void exchange_connecting(struct thread *t, u32 slot, struct readiness *r,
                                                u64 sock)
{
}
#endif
