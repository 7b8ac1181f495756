/* A call has returned: what it adds to the records of its kind and of its descriptor. */
#define EAGAIN 11
#define MAX_ERRNO 4095
#define MAX_MESSAGES 64
#define MESSAGE_BYTES 64 /* sizeof(struct mmsghdr), and where its msg_len is */
#define MESSAGE_LENGTH 56

#define CACHE_PLACE(t) (((t)->call_nr + 5 * (t)->call_kind) & (CALL_CACHE - 1))

static __always_inline int allocate_call(u32 *index)
{
  if (next_unused(COUNTER_CALLS, MAX_CALLS, index))
    return 1;
  return free_calls.pop(index) == 0;
}

static __always_inline struct call *call_of(struct thread *t, u32 slot)
{
  u32 pair = (t->call_nr << 8) | t->call_kind, index, *known;
  u64 cached = t->call_cache[CACHE_PLACE(t)], key;
  struct call *c;
  if (cached && cached >> 32 == pair) {
    index = (u32)cached - 1;
    return calls.lookup(&index);
  }
  key = ((u64)slot << 32) | pair;
  known = call_index.lookup(&key);
  if (known) {
    index = *known;
  } else {
    if (!allocate_call(&index)) {
      count(COUNTER_LOST_CALLS);
      return NULL;
    }
    call_index.update(&key, &index);
  }
  c = calls.lookup(&index);
  if (c && !known) {
    c->slot = slot;
    c->nr = t->call_nr;
    c->kind = t->call_kind;
  }
  t->call_cache[CACHE_PLACE(t)] =
      ((u64)pair << 32) | (index + 1);
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
  u64 ns = t->call_kernel_since_wake_ns;
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
  d->wait_ns += t->call_wait_ns;
  d->copy_ns += t->call_copy_ns;
  d->estimated += estimated;
  if (ret == -EAGAIN)
    d->eagain++;
  if (bytes) {
    if (flags & CALL_OUT) {
      d->bytes_out += bytes;
    } else {
      d->bytes_in += bytes;
      pick_up(t, d, bytes, now);
    }
    address_descriptor(d);
  } else if ((!ret && flags & CALL_IN) || (ret >= 0 && flags & CALL_ACCEPTS)) {
    settle(d);
  }
  END_UPDATE(d);
}

/* Most calls neither sleep nor copy, and cost a comparison here. */
static __always_inline void add_to_phase(u32 *histogram, u64 ns)
{
  u32 bucket = histogram_bucket(ns) >> PHASE_SHIFT;
  if (ns && bucket < PHASE_BUCKETS)
    histogram[bucket]++;
}

static __always_inline void add_to_call(struct thread *t, u32 slot, s64 ret, u64 bytes,
                                        u32 estimated, u32 filled, u64 now)
{
  u64 total = now > t->call_entry_ns ? now - t->call_entry_ns : 0;
  u32 bucket = bucket_of(t, total);
  struct call *c = call_of(t, slot);
  if (!c)
    return;
  BEGIN_UPDATE(c);
  c->upto = t->syscalls;
  c->calls++;
  c->bytes += bytes;
  c->wait_ns += t->call_wait_ns;
  c->runq_ns += t->call_runq_ns;
  c->copy_ns += t->call_copy_ns;
  c->kernel_ns += t->call_kernel_ns;
  c->estimated += estimated;
  c->filled += filled;
  if (total > c->max_ns)
    c->max_ns = total;
  if (bucket < HISTOGRAM_BUCKETS)
    c->latency[bucket]++;
  add_to_phase(c->wait, t->call_wait_ns);
  add_to_phase(c->copy, t->call_copy_ns);
  if (ret == -EAGAIN)
    c->eagain++;
  else if (ret < 0 && ret >= -MAX_ERRNO)
    c->errors++;
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

static __always_inline void leave_call(struct thread *t, u32 slot, s64 ret, u64 now)
{
  struct object accepted = {};
  u32 estimated = 0;
  int is_socket = t->call_kind >= KIND_FIRST_SOCKET && t->call_kind <= KIND_LAST_SOCKET;
  u64 bytes = 0;
  u16 flags = t->call_flags;

  t->syscalls++;
  if (ret > 0 && flags & (CALL_IN | CALL_OUT))
    bytes = flags & CALL_MESSAGES ? vector_bytes(t->call_buffer, ret) : ret;
  t->moved_data += bytes && is_socket;
  t->moved_other += bytes && !is_socket;
  if (flags & CALL_IN && t->call_fd >= 0 && t->call_fd == t->accepted_fd)
    loop_read_eagerly(t);
  estimated = estimate_copy(t, flags, bytes);
  if (t->call_loop)
    loop_exit(t, slot, ret, now);
  else if (t->call_wait_ns && t->current_loop)
    loop_waited(t);
  if ((t->call_loop || t->call_polls) && t->call_fd >= 0 && t->call_wait_ns)
    polled_alone(t, slot);
  if (t->call_descriptor)
    add_to_descriptor(t, flags, ret, bytes, estimated, now);
  if (ret >= 0 && flags & CALL_ACCEPTS) {
    t->accepted++;
    t->accepted_fd = ret;
    forget_descriptor(t->pid, ret);
    resolve(ret, &accepted);
    watch_socket(&accepted);
  }
  add_to_call(t, slot, ret, bytes, estimated,
              flags & CALL_IN && bytes && bytes == t->call_size, now);
  if (t->call_kind == KIND_GIL) {
    add_gil_wait(t, now);
  } else {
    t->tax_call = (u32)t->call_cache[CACHE_PLACE(t)];
    t->tax_user_ns = t->user_ns;
  }
  if (ret < 0 && ret >= -MAX_ERRNO && ret != -EAGAIN)
    count_error(t, slot, -ret);
}
