/* A call has returned: what it adds to the records of its kind and of its descriptor. */
#define EAGAIN 11
#define MAX_ERRNO 4095
#define MAX_MESSAGES 64
#define NO_RECORD 0xffffffff
#define MESSAGE_BYTES 64 /* sizeof(struct mmsghdr), and where its msg_len is */
#define MESSAGE_LENGTH 56


static __always_inline int allocate_call(u32 *index)
{
  if (next_unused(COUNTER_CALLS, MAX_CALLS, index))
    return 1;
  return free_calls.pop(index) == 0;
}

/* Not in the cache: found by its key, or new. */
static __always_inline struct call *find_call_record(struct thread *t, u32 slot, u32 pair, u32 *index)
{
  u64 key = ((u64)slot << 32) | pair;
  u32 *known = call_index.lookup(&key);
  struct call *c;
  if (known) {
    *index = *known;
  } else {
    if (!allocate_call(index)) {
      count(COUNTER_LOST_CALLS);
      return NULL;
    }
    call_index.update(&key, index);
  }
  c = calls.lookup(index);
  if (c && !known) {
    c->slot = slot;
    c->nr = t->call_nr;
    c->kind = t->call_kind;
  }
  return c;
}

/* The record that a call belongs to; index is left alone where there is no room for one. */
static __always_inline struct call *call_of(struct thread *t, u32 slot, u32 *index)
{
  u32 pair = (t->call_nr << 8) | t->call_kind;
  u32 *cached = &t->call_cache[2 * ((t->call_nr + 5 * t->call_kind) & (CALL_CACHE - 1))];
  struct call *c;
  if (cached[1] == pair && cached[0]) {
    *index = cached[0] - 1;
    return calls.lookup(index);
  }
  c = find_call_record(t, slot, pair, index);
  if (c) {
    cached[0] = *index + 1;
    cached[1] = pair;
  }
  return c;
}

static __always_inline void count_error(struct thread *t, u32 slot, u32 error)
{
  struct error_key key = {
      .slot = slot, .nr = t->call_nr, .error = error, .kind = t->call_kind};
  u64 one = 1, *seen = errors.lookup(&key);
  if (seen)
    __sync_fetch_and_add(seen, 1);
  else if (errors.update(&key, &one))
    count(COUNTER_LOST_ERRORS);
}

/* Room for a message vector: too large for the stack. Written and read by one sys_exit run. */
struct message_vector {
  u8 messages[MAX_MESSAGES][MESSAGE_BYTES];
};
BPF_PERCPU_ARRAY(message_vectors, struct message_vector, 1);

/* recvmmsg and sendmmsg return messages; their lengths stand in the vector (man recvmmsg).
 * Summed without a branch: each branch would double what the verifier has to walk. */
static __always_inline u64 vector_bytes(u64 vector, u64 messages)
{
  u32 zero = 0;
  u64 total = 0;
  struct message_vector *copy = message_vectors.lookup(&zero);
  if (!copy)
    return 0;
  if (messages > MAX_MESSAGES) {
    count(COUNTER_LONG_VECTORS);
    messages = MAX_MESSAGES;
  }
  read_user_memory(copy, messages * MESSAGE_BYTES, (void *)vector);
#pragma clang loop unroll(disable)
  for (u64 i = 0; i < MAX_MESSAGES; i++) {
    s64 below = i - messages;
    asm volatile("" : "+r"(below)); /* else clang sees through it and branches */
    total += *(u32 *)&copy->messages[i][MESSAGE_LENGTH] & (u64)(below >> 63);
  }
  return total;
}

/* A read without a copy tracepoint: its copy is its time on the CPU since it last woke up. */
static __always_inline u32 estimate_copy(struct thread *t, u16 flags, u64 bytes)
{
  u64 ns = t->call_kernel_ns - t->call_kernel_at_wake_ns;
  if (!(flags & CALL_IN) || !bytes || t->call_first_copy_ns)
    return 0;
  t->kernel_ns -= ns;
  t->call_kernel_ns -= ns;
  t->copy_ns += ns;
  t->call_copy_ns += ns;
  return 1;
}

static __always_inline void add_to_descriptor(struct thread *t, u16 flags, s64 ret, u64 bytes,
                                              u32 estimated, u64 now)
{
  u32 index = t->call_descriptor - 1;
  struct descriptor *d = descriptors.lookup(&index);
  if (!d)
    return;
  BEGIN_UPDATE(d);
  d->upto = t->syscalls;
  d->calls++;
  if (t->call_wait_ns | t->call_copy_ns) {
    d->wait_ns += t->call_wait_ns;
    d->copy_ns += t->call_copy_ns;
    d->estimated += estimated;
  }
  if (bytes) {
    if (flags & CALL_OUT) {
      d->bytes_out += bytes;
    } else {
      d->bytes_in += bytes;
      pick_up(t, d, bytes, now);
    }
    address_descriptor(d);
  } else if (ret == -EAGAIN) {
    d->eagain++;
  } else if ((!ret && flags & CALL_IN) || (ret >= 0 && flags & CALL_ACCEPTS)) {
    settle(d);
  }
  END_UPDATE(d);
}

/* Most calls neither sleep nor copy, and cost a comparison here. */
static __always_inline void add_to_phase(struct thread *t, u32 *histogram, u64 ns)
{
  u32 bucket;
  if (!ns)
    return;
  bucket = forgotten(t, histogram_bucket(ns) >> PHASE_SHIFT);
  if (bucket < PHASE_BUCKETS)
    histogram[bucket]++;
}

static __always_inline void add_to_call(struct thread *t, u32 slot, u16 flags, s64 ret, u64 bytes,
                                        u32 estimated, u64 now)
{
  u32 index = NO_RECORD;
  s64 since = now - t->call_entry_ns;
  u64 total = since > 0 ? since : 0;
  u32 bucket = bucket_of(t, total);
  struct call *c = call_of(t, slot, &index);
  if (t->call_kind != KIND_GIL) {
    t->tax_call = index + 1;
    t->tax_user_ns = t->user_ns;
  }
  if (!c)
    return;
  BEGIN_UPDATE(c);
  c->upto = t->syscalls;
  c->calls++;
  c->kernel_ns += t->call_kernel_ns;
  if (total > c->max_ns)
    c->max_ns = total;
  if (bucket < HISTOGRAM_BUCKETS)
    c->latency[bucket]++;
  /* Many calls neither sleep nor copy. */
  if (t->call_wait_ns | t->call_runq_ns | t->call_copy_ns) {
    c->wait_ns += t->call_wait_ns;
    c->runq_ns += t->call_runq_ns;
    c->copy_ns += t->call_copy_ns;
    c->estimated += estimated;
    add_to_phase(t, c->wait, t->call_wait_ns);
    add_to_phase(t, c->copy, t->call_copy_ns);
  }
  if (bytes) {
    c->bytes += bytes;
    c->filled += flags & CALL_IN && bytes == t->call_size;
  } else if (ret == -EAGAIN) {
    c->eagain++;
  } else if (ret < 0 && ret >= -MAX_ERRNO) {
    c->errors++;
    count_error(t, slot, -ret);
  }
  END_UPDATE(c);
}

/* The first wait for the GIL after a call is what that call costs on top, unless the thread has
 * computed for a while since: then its time with the GIL was up. */
static __always_inline void add_gil_wait(struct thread *t, u64 now)
{
  u32 index = t->tax_call - 1;
  struct call *c = calls.lookup(&index);
  if (!c || !t->call_wait_ns)
    return;
  if (t->user_ns - t->tax_user_ns > GIL_TAX_NS) {
    t->tax_call = 0;
    return;
  }
  BEGIN_UPDATE(c);
  c->gil_waits++;
  c->gil_ns += now - t->call_entry_ns;
  END_UPDATE(c);
}

/* What the call returns, read anew: the verifier walks whatever follows once for each range that it
 * knows of a number, and here it knows of none. */
static __always_inline s64 result_of(struct bpf_raw_tracepoint_args *exit)
{
  s64 result;
  asm volatile("%0 = *(u64 *)(%1 + 8)" : "=r"(result) : "r"(exit)); /* args[1] */
  return result;
}

/* A connection was accepted: the number is a new one's. */
static __always_inline void accepted(struct thread *t, u64 fd)
{
  struct object o = {};
  t->accepted++;
  t->accepted_fd = fd + 1;
  forget_descriptor(t->pid, fd);
  resolve(fd, &o);
  watch_socket(&o);
}

/* exit: the arguments of sys_exit. */
static __always_inline void leave_call(struct bpf_raw_tracepoint_args *exit, struct thread *t,
                                       u32 slot, u64 now)
{
  s64 ret = result_of(exit);
  u32 estimated = 0;
  u64 bytes = 0;
  u16 flags = t->call_flags;

  t->syscalls++;
  if (ret > 0 && flags & (CALL_IN | CALL_OUT)) {
    bytes = ret;
    if (flags & CALL_MESSAGES)
      bytes = vector_bytes(t->call_buffer, ret);
    if (t->call_kind - KIND_FIRST_SOCKET <= (u32)KIND_LAST_SOCKET - KIND_FIRST_SOCKET)
      t->moved_data++;
    else
      t->moved_other++;
    estimated = estimate_copy(t, flags, bytes);
  }
  if (t->accepted_fd && flags & CALL_IN && t->accepted_fd - 1 == (u32)t->call_fd)
    loop_read_eagerly(t);
  if (t->call_loop)
    loop_exit(t, slot, ret, now);
  if (t->call_wait_ns) {
    if (t->current_loop && !t->call_loop)
      loop_waited(t);
    if ((t->call_loop || t->call_polls) && t->call_fd >= 0)
      polled_alone(t, slot);
  }
  ret = result_of(exit);
  if (t->call_descriptor)
    add_to_descriptor(t, flags, ret, bytes, estimated, now);
  if (flags & CALL_ACCEPTS && ret >= 0)
    accepted(t, ret);
  ret = result_of(exit);
  add_to_call(t, slot, flags, ret, bytes, estimated, now);
  if (t->call_kind == KIND_GIL)
    add_gil_wait(t, now);
}
