/* A thread's record of a descriptor: found by its place, checked by generation. */
static __always_inline u32 *place_of(struct thread *t, u32 slot, u32 fd)
{
  u32 place = (fd + slot * 0x9e3779b1u + t->programs * 0x85ebca6bu) & (DESCRIPTOR_PLACES - 1);
  return descriptor_places.lookup(&place);
}

/* What stands at its place, if that is of this descriptor. */
static __always_inline struct descriptor *descriptor_at(struct thread *t, u32 slot, u32 fd,
                                                        u32 *found)
{
  u32 *place = place_of(t, slot, fd), index;
  struct descriptor *d;
  if (!place || !*place)
    return NULL;
  *found = *place;
  index = *place - 1;
  d = descriptors.lookup(&index);
  return d && d->opened && d->slot == slot && d->fd == (s32)fd ? d : NULL;
}

static __always_inline int allocate_descriptor(u32 *index)
{
  if (next_unused(COUNTER_DESCRIPTORS, MAX_DESCRIPTORS, index))
    return 1;
  return free_descriptors.pop(index) == 0;
}

static __always_inline void copy_address(struct descriptor *d, struct object *o)
{
  d->family = o->family;
  d->local_port = o->local_port;
  d->peer_port = o->peer_port;
  __builtin_memcpy(d->local, o->local, sizeof(d->local));
  __builtin_memcpy(d->peer, o->peer, sizeof(d->peer));
}

/* The number is used for the first time, or may be another object than last time. */
static __always_inline struct descriptor *resolve_descriptor(struct thread *t, u32 slot, u32 fd,
                                                             u32 generation, u32 *found)
{
  struct object o = {};
  struct descriptor *d;
  u64 key;
  u32 index = 0, *known, *place;

  resolve(fd, &o);
  key = ((u64)slot << 40) | ((u64)o.kind << 32) | fd;
  known = descriptor_index.lookup(&key);
  if (known) {
    index = *known;
  } else {
    if (!allocate_descriptor(&index)) {
      count(COUNTER_LOST_DESCRIPTORS);
      return NULL;
    }
    descriptor_index.update(&key, &index);
  }
  d = descriptors.lookup(&index);
  if (!d)
    return NULL;
  BEGIN_UPDATE(d);
  d->generation = generation;
  d->slot = slot;
  d->fd = fd;
  d->kind = o.kind;
  if (d->inode != o.inode || !d->opened) {
    d->opened++;
    d->inode = o.inode;
    d->sock = o.sock;
    d->open_flags = o.open_flags;
    d->addressed = 0;
    copy_address(d, &o);
#if WATCH_SOCKETS
    watch_socket(&o);
#endif
  }
  END_UPDATE(d);
  place = place_of(t, slot, fd);
  if (place)
    *place = index + 1;
  *found = index + 1;
  return d;
}

#if DETAIL_FULL
static __always_inline struct descriptor *descriptor_of(struct thread *t, u32 slot, u32 fd,
                                                        u32 *found)
{
  u32 key = generation_slot(t->pid, fd), *generation = generations.lookup(&key);
  struct descriptor *d;
  u32 index = t->last_descriptor - 1;
  if (!generation)
    return NULL;
  d = descriptors.lookup(&index); /* a program mostly writes where it has read */
  if (d && d->fd == (s32)fd && d->generation == *generation) {
    *found = index + 1;
    return d;
  }
  d = descriptor_at(t, slot, fd, found);
  if (!d || d->generation != *generation)
    d = resolve_descriptor(t, slot, fd, *generation, found);
  if (d)
    t->last_descriptor = *found;
  return d;
}
#else
/* Nobody tells when a number is closed: is it still the socket that it was? Other objects are
 * looked at anew, for many of them share one inode. */
static __always_inline struct descriptor *descriptor_of(struct thread *t, u32 slot, u32 fd,
                                                        u32 *found)
{
  struct descriptor *d = descriptor_at(t, slot, fd, found);
  if (d && d->kind <= KIND_LAST_SOCKET && d->inode == inode_of(fd))
    return d;
  return resolve_descriptor(t, slot, fd, 0, found);
}
#endif

/* A socket's peer may be known only after it was connected: look once more when data moves. */
static __always_inline void address_descriptor(struct descriptor *d)
{
  struct object o = {};
  if (d->addressed)
    return;
  d->addressed = 1;
  if (d->kind != KIND_TCP && d->kind != KIND_UDP)
    return;
  read_addresses(d->sock, &o);
  if (o.local_port)
    copy_address(d, &o);
}

/* The end of the stream was read, or a connection was accepted: what was announced is taken. */
static __always_inline void settle(struct descriptor *d)
{
  u64 sock = d->sock;
  struct readiness *r = sock ? readiness.lookup(&sock) : NULL;
  if (r)
    r->since_ns = r->last_ns > r->since_ns ? r->last_ns : 0;
}

/* Buffers that lie on a socket unread. */
static __always_inline u32 queued_on(u64 sock)
{
  return MEMBER(u32, sock, TYPE_SOCK, OFFSET_SOCK_QUEUED);
}

/* A read has taken data off a socket: how long had it been lying there? */
static __always_inline void pick_up(struct thread *t, struct descriptor *d, u64 bytes, u64 now)
{
  u64 sock = d->sock, taken = t->call_first_copy_ns ? t->call_first_copy_ns : now;
  struct readiness *r = sock ? readiness.lookup(&sock) : NULL;
  if (!r || t->call_peeks)
    return;
  if (r->since_ns && r->since_ns <= taken) {
    u64 delay = taken - r->since_ns;
    u32 bucket = bucket_of(t, delay) >> PICKUP_SHIFT;
    d->pickups++;
    if (delay > d->pickup_max_ns)
      d->pickup_max_ns = delay;
    if (bucket < PICKUP_BUCKETS)
      d->pickup[bucket]++;
  }
  /* Behind a filled buffer there may be more, which has been waiting as long. */
  if (t->call_size && bytes >= t->call_size && queued_on(sock))
    return;
  r->since_ns = r->last_ns > taken ? r->last_ns : 0;
}
