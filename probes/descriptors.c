/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of descriptors: a thread's use of one descriptor number. */
static __always_inline u32 *place_of(struct thread *t, u32 slot, u32 fd)
{
  u32 hash = fd + slot * 0x9e3779b1u + t->exec_generation * 0x85ebca6bu;
  u32 place = hash & (DESCRIPTOR_PLACES - 1);
  return descriptor_places.lookup(&place);
}

/* The record at the place of this descriptor, if it is of this descriptor. */
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

/* Look the number up in the fd table: it is used for the first time, or may be another object
 * now. */
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
  update_begin(&d->seq);
  d->generation = generation;
  d->slot = slot;
  d->fd = fd;
  d->kind = o.kind;
  if (d->inode != o.inode || !d->opened) {
    d->opened++;
    d->inode = o.inode;
    d->sock = o.sock;
    d->open_flags = o.open_flags;
    d->addressed = o.kind == KIND_TCP && o.local_port && o.peer_port; /* it is connected */
    d->exchange = 0;
    copy_address(d, &o);
#if WATCH_SOCKETS
    d->exchange = watch_socket(&o, t->found ? t->started_ns : 0);
#endif
  }
  update_end(&d->seq);
  place = place_of(t, slot, fd);
  if (place)
    *place = index + 1;
  *found = index + 1;
  return d;
}

/* The generation of a descriptor number grows when the number is closed or replaced. Without
 * probes on system calls nothing tells of that: then it is always 0. */
static __always_inline u32 generation_of(struct thread *t, u32 fd)
{
#if DETAIL_FULL
  u32 key = generation_slot(t->pid, fd), *generation = generations.lookup(&key);
  return generation ? *generation : 0;
#else
  return 0;
#endif
}

/* Whether the number is still the object that the record is about. Without probes on system calls
 * a socket is known by its inode; other objects may share an inode, and are looked up each time. */
static __always_inline int is_current(struct descriptor *d, u32 fd, u32 generation)
{
  if (DETAIL_FULL)
    return d->generation == generation;
  return d->kind <= KIND_LAST_SOCKET && d->inode == inode_number(file_of(fd));
}

/* A thread's record of a descriptor, if it has one of what the number is now. */
static __always_inline struct descriptor *known_descriptor(struct thread *t, u32 slot, u32 fd,
                                                           u32 *found)
{
  u32 generation = generation_of(t, fd), index = t->last_descriptor - 1;
  struct descriptor *d;
  if (DETAIL_FULL) {
    d = descriptors.lookup(&index); /* a program mostly writes where it has just read */
    if (d && d->fd == (s32)fd && d->generation == generation) {
      *found = index + 1;
      return d;
    }
  }
  d = descriptor_at(t, slot, fd, found);
  if (!d || !is_current(d, fd, generation))
    return NULL;
  if (DETAIL_FULL)
    t->last_descriptor = *found;
  return d;
}

/* A number that is used for the first time, or may be another object now. */
static __always_inline struct descriptor *new_descriptor(struct thread *t, u32 slot, u32 fd,
                                                         u32 *found)
{
  struct descriptor *d = resolve_descriptor(t, slot, fd, generation_of(t, fd), found);
  if (DETAIL_FULL && d)
    t->last_descriptor = *found;
  return d;
}

/* A thread's record of a descriptor: the one way from a number to a record. */
static __always_inline struct descriptor *descriptor_of(struct thread *t, u32 slot, u32 fd,
                                                        u32 *found)
{
  struct descriptor *d = known_descriptor(t, slot, fd, found);
  return d ? d : new_descriptor(t, slot, fd, found);
}

/* A socket's addresses may be known only once it is connected: read them again when data moves. */
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
