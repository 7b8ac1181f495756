/* System calls: sys_enter opens one, sys_exit closes it and adds it to its records. */
#define EAGAIN 11
#define MSG_PEEK 2
#define MAX_ERRNO 4095
#define MAX_MESSAGES 64
#define MESSAGE_BYTES 64 /* sizeof(struct mmsghdr), and where its msg_len is */
#define MESSAGE_LENGTH 56
#define SELECT_WORDS 16 /* FD_SETSIZE / 64 */
#define ARGUMENTS 6
#define FUTEX_WAIT 0
#define FUTEX_WAIT_BITSET 9
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_COMMAND 127
#define EPOLL_CTL_DEL 2

static __always_inline u64 argument(u64 *args, s8 index)
{
  /* Spelt out: a variable index into the stack is more than some verifiers follow. */
  switch (index) {
  case 0:
    return args[ARGUMENT_0];
  case 1:
    return args[ARGUMENT_1];
  case 2:
    return args[ARGUMENT_2];
  case 3:
    return args[ARGUMENT_3];
  case 4:
    return args[ARGUMENT_4];
  case 5:
    return args[ARGUMENT_5];
  }
  return 0;
}

static __always_inline u32 wait_by_kind(u32 kind, u16 flags)
{
  if (kind == KIND_FILE || kind == KIND_DIR || kind == KIND_BLOCK)
    return WAIT_FILE;
  return flags & CALL_OUT ? WAIT_SEND : WAIT_RECV;
}

/* A timeout of nothing: "look, but do not wait". */
static __always_inline int zero_timeout(u64 timeout, u16 flags)
{
  u64 pair[2]; /* struct timeval or timespec */
  if (!(flags & CALL_TIMEOUT_POINTER))
    return (u32)timeout == 0;
  if (!timeout || bpf_probe_read_user(pair, sizeof(pair), (void *)timeout))
    return 0;
  return !pair[0] && !pair[1];
}

/* A lock wait that gives up very soon: how an interpreter's thread asks for the lock (the GIL)
 * that another one holds. FUTEX_WAIT_BITSET takes a point in time, FUTEX_WAIT a length (futex(2)). */
static __always_inline int short_timeout(u64 operation, u64 timeout, u64 now)
{
  s64 pair[2]; /* struct timespec */
  u32 command = operation & FUTEX_COMMAND;
  if ((command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) || !timeout ||
      operation & FUTEX_CLOCK_REALTIME)
    return 0;
  if (bpf_probe_read_user(pair, sizeof(pair), (void *)timeout))
    return 0;
  pair[1] += pair[0] * 1000000000LL;
  if (command == FUTEX_WAIT_BITSET)
    pair[1] -= now;
  return pair[1] <= SHORT_TIMEOUT_NS;
}

/* How epoll_ctl wants to be told of a descriptor: struct epoll_event begins with the events. */
static __always_inline u32 trigger_kind(u64 operation, u64 event)
{
  u32 events = 0;
  if ((u32)operation == EPOLL_CTL_DEL ||
      bpf_probe_read_user(&events, sizeof(events), (void *)event))
    return KIND_NONE;
  return events >> 31 ? KIND_EDGE : KIND_LEVEL;
}

static __always_inline int allocate_loop(u32 *index)
{
  if (next_unused(COUNTER_LOOPS, MAX_LOOPS, index))
    return 1;
  return free_loops.pop(index) == 0;
}

static __always_inline struct loop *loop_of(struct thread *t, u32 slot, u32 nr)
{
  u32 index = t->loops[t->call_loop & (LOOP_KINDS - 1)];
  struct loop *l;
  if (index) {
    index--;
    return loops.lookup(&index);
  }
  if (!allocate_loop(&index)) {
    count(COUNTER_LOST_LOOPS);
    return NULL;
  }
  t->loops[t->call_loop & (LOOP_KINDS - 1)] = index + 1;
  l = loops.lookup(&index);
  if (l) {
    l->slot = slot;
    l->nr = nr;
  }
  return l;
}

static __always_inline u32 ones(u64 v)
{
  v = v - ((v >> 1) & 0x5555555555555555ULL);
  v = (v & 0x3333333333333333ULL) + ((v >> 2) & 0x3333333333333333ULL);
  v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
  return (v * 0x0101010101010101ULL) >> 56;
}

/* Descriptors in select's read and write sets; sampled, for it costs a look at each word. */
static __always_inline u64 selected(u64 nfds, u64 read_set, u64 write_set)
{
  u64 total = 0;
  for (int i = 0; i < SELECT_WORDS; i++) {
    u64 in = 0, out = 0;
    if (64 * i >= (s64)nfds)
      break;
    if (read_set)
      bpf_probe_read_user(&in, sizeof(in), (void *)(read_set + 8 * i));
    if (write_set)
      bpf_probe_read_user(&out, sizeof(out), (void *)(write_set + 8 * i));
    total += ones(in | out);
  }
  return total;
}

static __always_inline u64 cpu_ns(struct thread *t)
{
  return t->user_ns + t->kernel_ns + t->copy_ns;
}

/* An iteration took longer than STALL_NS: keep what it spent its time on. */
static __always_inline void loop_stalled(struct thread *t, struct loop *l, u64 busy)
{
  l->stalls++;
  l->stall_ns += busy;
  l->stall_cpu_ns += cpu_ns(t) - l->cpu_at_return_ns;
  l->stall_runq_ns += t->runq_ns - l->runq_at_return_ns;
  if (!l->iteration_waited)
    return;
  for (int i = 0; i < WAIT_CLASSES; i++)
    l->stall_wait_ns[i] += l->iteration_wait_ns[i];
  if (l->iteration_call_ns > l->stall_call_ns) {
    l->stall_call_ns = l->iteration_call_ns;
    l->stall_call_nr = l->iteration_call_nr;
    l->stall_call_fd = l->iteration_call_fd;
    l->stall_call_kind = l->iteration_call_kind;
  }
}

/* The thread comes back to its multiplexer: what it did since the last return was one iteration. */
static __always_inline void loop_iterated(struct thread *t, struct loop *l, u64 now)
{
  u64 busy = now > l->returned_ns ? now - l->returned_ns : 0;
  u32 bucket = histogram_bucket(busy);
  l->busy_sum_ns += busy;
  if (busy > l->busy_max_ns)
    l->busy_max_ns = busy;
  if (bucket < HISTOGRAM_BUCKETS)
    l->busy[bucket]++;
  if (t->accepted == l->accepted_at_return) {
    if (t->moved_data != l->data_at_return)
      l->data_iterations++;
    else if (l->last_ready && t->moved_other == l->other_at_return)
      l->unserved++;
  }
  if (busy > STALL_NS)
    loop_stalled(t, l, busy);
  l->returned_ns = 0;
}

/* A call inside an iteration has waited. */
static __always_inline void loop_waited(struct thread *t)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  if (!l || !l->returned_ns)
    return;
  l->iteration_waited = 1;
  l->iteration_wait_ns[t->call_class & (WAIT_CLASSES - 1)] += t->call_wait_ns;
  if (t->call_wait_ns > l->iteration_call_ns) {
    l->iteration_call_ns = t->call_wait_ns;
    l->iteration_call_nr = t->call_nr;
    l->iteration_call_fd = t->call_fd;
    l->iteration_call_kind = t->call_kind;
  }
}

/* A connection is tried before the multiplexer could say that it has data. */
static __always_inline void loop_read_eagerly(struct thread *t)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  t->accepted_fd = -1;
  if (!l)
    return;
  BEGIN_UPDATE(l);
  l->eager_reads++;
  END_UPDATE(l);
}

static __always_inline void loop_enter(struct thread *t, u32 slot, u16 flags, u64 *args, u64 now)
{
  struct loop *l = loop_of(t, slot, t->call_nr);
  if (!l)
    return;
  BEGIN_UPDATE(l);
  if (l->returned_ns)
    loop_iterated(t, l, now);
  if (t->call_nfds > l->nfds_max)
    l->nfds_max = t->call_nfds;
  if (flags & CALL_FD_SETS) {
    if (l->iterations < 64 || !(l->iterations & 63)) {
      u64 watched = selected(t->call_nfds, args[ARGUMENT_1], args[ARGUMENT_2]);
      if (watched > l->watched)
        l->watched = watched;
    }
  } else if (t->call_nfds) {
    l->watched = l->nfds_max;
  } else {
    l->epoll_fd = args[ARGUMENT_0];
  }
  END_UPDATE(l);
}

/* A poll of one descriptor alone has waited: add it there, if it is known already. */
static __always_inline void polled_alone(struct thread *t, u32 slot)
{
  u32 index = t->fd_cache[t->call_fd & (FD_CACHE - 1)] - 1;
  struct descriptor *d = descriptors.lookup(&index);
  if (!d || d->slot != slot || d->fd != t->call_fd)
    return;
  BEGIN_UPDATE(d);
  d->polled_ns += t->call_wait_ns;
  END_UPDATE(d);
}

/* nested: it polled for one descriptor in the middle of another multiplexer's iteration. */
static __always_inline void loop_exit(struct thread *t, u32 slot, s64 ready, int nested, u64 now)
{
  struct loop *l = loop_of(t, slot, t->call_nr);
  if (!l)
    return;
  BEGIN_UPDATE(l);
  l->wait_ns += t->call_wait_ns;
  if (ready >= 0) {
    l->iterations++;
    l->ready_sum += ready;
    if (ready > (s64)l->ready_max)
      l->ready_max = ready;
    if (t->call_zero_timeout)
      l->zero_timeout++;
    if (!ready) {
      l->empty++;
      if (!t->call_zero_timeout)
        l->timeouts++;
    }
    l->last_ready = ready;
    l->returned_ns = now;
    l->cpu_at_return_ns = cpu_ns(t);
    l->runq_at_return_ns = t->runq_ns;
    if (l->iteration_waited) {
      l->iteration_waited = 0;
      l->iteration_call_ns = 0;
      for (int i = 0; i < WAIT_CLASSES; i++)
        l->iteration_wait_ns[i] = 0;
    }
  }
  l->accepted_at_return = t->accepted;
  l->data_at_return = t->moved_data;
  l->other_at_return = t->moved_other;
  END_UPDATE(l);
  if (!nested) {
    t->current_loop = t->loops[t->call_loop & (LOOP_KINDS - 1)];
    t->accepted_fd = -1;
  }
}

static __always_inline void listen_on(u32 port)
{
  u32 one = 1;
  if (!listening_ports.lookup(&port))
    listening_ports.update(&port, &one);
}

/* A call that nothing is known of yet. */
static __always_inline void begin_call(struct thread *t, u64 now)
{
  t->in_call = 1;
  t->call_nr = CALL_OTHER;
  t->call_flags = 0;
  t->call_class = WAIT_OTHER;
  t->call_kind = KIND_NONE;
  t->call_loop = 0;
  t->call_fd = -1;
  t->call_descriptor = 0;
  t->call_entry_ns = now;
  t->call_wait_ns = t->call_runq_ns = t->call_copy_ns = t->call_kernel_ns = 0;
  t->call_kernel_since_wake_ns = 0;
  t->call_first_copy_ns = 0;
  t->call_size = 0;
  t->call_peeks = 0;
  t->from_proc = 0;
}

/* Open a call: what it is, on what it works, why it would sleep. regs: the saved registers. */
static __always_inline void enter_call(struct thread *t, u32 slot, u64 regs, u32 nr, u64 now)
{
  struct call_spec *spec;
  struct descriptor *d;
  u64 args[ARGUMENT_WORDS];
  u32 found = 0;

  begin_call(t, now);
  spec = call_specs.lookup(&nr);
  if (!spec || !spec->listed)
    return;
  t->call_nr = nr;
  t->call_flags = spec->flags;
  t->call_class = spec->wait_class;
  if (spec->flags & CALL_NO_ARGUMENTS)
    return;
  if (bpf_probe_read_kernel(args, sizeof(args), (void *)(regs + OFFSET_ARGUMENTS)))
    return;
  if (spec->size_arg >= 0)
    t->call_size = argument(args, spec->size_arg);
  if (spec->fd_arg >= 0) {
    t->call_fd = (s32)argument(args, spec->fd_arg);
    if (spec->flags & (CALL_CLOSES | CALL_REPLACES)) {
      forget_descriptor(t->pid, t->call_fd);
      return;
    }
    d = descriptor_of(t, slot, t->call_fd, &found);
    if (d) {
      t->call_descriptor = found;
      t->call_kind = d->kind;
    }
    if (d && spec->flags & CALL_ACCEPTS && d->local_port)
      listen_on(d->local_port);
    if (t->call_class == WAIT_BY_KIND)
      t->call_class = wait_by_kind(t->call_kind, spec->flags);
    if (spec->msg_flags_arg >= 0)
      t->call_peeks = !!(argument(args, spec->msg_flags_arg) & MSG_PEEK);
    if (spec->buffer_arg >= 0)
      t->call_buffer = argument(args, spec->buffer_arg);
  } else if (spec->loop) {
    t->call_nfds = spec->nfds_arg >= 0 ? argument(args, spec->nfds_arg) : 0;
    if (spec->nfds_arg >= 0 && !(u32)t->call_nfds) {
      t->call_class = WAIT_SLEEP; /* select and poll on nothing are a sleep */
      t->call_kind = KIND_NO_FDS;
      return;
    }
    if (t->call_nfds == 1 && !(spec->flags & CALL_FD_SETS))
      bpf_probe_read_user(&t->call_fd, sizeof(t->call_fd), (void *)args[ARGUMENT_0]);
    t->call_loop = spec->loop;
    t->call_zero_timeout = zero_timeout(argument(args, spec->timeout_arg), spec->flags);
    loop_enter(t, slot, spec->flags, args, now);
  } else if (spec->flags & CALL_FUTEX) {
    if (short_timeout(args[ARGUMENT_1], args[ARGUMENT_3], now))
      t->call_kind = KIND_SHORT_TIMEOUT;
  } else if (spec->flags & CALL_WATCHES) {
    t->call_kind = trigger_kind(args[ARGUMENT_1], args[ARGUMENT_3]);
  }
}

static __always_inline int allocate_call(u32 *index)
{
  if (next_unused(COUNTER_CALLS, MAX_CALLS, index))
    return 1;
  return free_calls.pop(index) == 0;
}

static __always_inline struct call *call_of(struct thread *t, u32 slot)
{
  u32 pair = (t->call_nr << 8) | t->call_kind, index, *known;
  u64 cached = t->call_cache[(t->call_nr + 5 * t->call_kind) & (CALL_CACHE - 1)], key;
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
  t->call_cache[(t->call_nr + 5 * t->call_kind) & (CALL_CACHE - 1)] =
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
  bpf_probe_read_user(copy, messages * MESSAGE_BYTES, (void *)vector);
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

static __always_inline void add_to_call(struct thread *t, u32 slot, s64 ret, u64 bytes,
                                        u32 estimated, u32 filled, u64 now)
{
  u64 total = now > t->call_entry_ns ? now - t->call_entry_ns : 0;
  u32 bucket = histogram_bucket(total);
  struct call *c = call_of(t, slot);
  if (!c)
    return;
  BEGIN_UPDATE(c);
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
  if (ret == -EAGAIN)
    c->eagain++;
  else if (ret < 0 && ret >= -MAX_ERRNO)
    c->errors++;
  END_UPDATE(c);
}

static __always_inline void leave_call(struct thread *t, u32 slot, s64 ret, u64 now)
{
  struct object accepted = {};
  u32 estimated = 0;
  int nested = 0, is_socket = t->call_kind >= KIND_FIRST_SOCKET && t->call_kind <= KIND_LAST_SOCKET;
  u64 bytes = 0;
  u16 flags = t->call_flags;

  t->syscalls++;
  if (ret > 0 && flags & (CALL_IN | CALL_OUT))
    bytes = flags & CALL_MESSAGES ? vector_bytes(t->call_buffer, ret) : ret;
  t->moved_data += bytes && is_socket;
  t->moved_other += bytes && !is_socket;
  if (flags & CALL_IN && t->call_fd >= 0 && t->call_fd == t->accepted_fd)
    loop_read_eagerly(t);
  if (!is_socket)
    estimated = estimate_copy(t, flags, bytes);
  if (t->call_loop)
    nested = t->call_fd >= 0 && t->current_loop &&
             t->current_loop != t->loops[t->call_loop & (LOOP_KINDS - 1)];
  if (t->call_wait_ns && t->current_loop && (nested || !t->call_loop))
    loop_waited(t);
  if (t->call_loop && t->call_fd >= 0 && t->call_wait_ns)
    polled_alone(t, slot);
  if (t->call_loop)
    loop_exit(t, slot, ret, nested, now);
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
  if (ret < 0 && ret >= -MAX_ERRNO && ret != -EAGAIN)
    count_error(t, slot, -ret);
}

/* The call that a thread is in when we first see it; its descriptor is looked up at its exit. */
static __always_inline void find_call_in(struct thread *t, u64 regs, u32 nr)
{
  struct call_spec *spec = call_specs.lookup(&nr);
  u64 args[ARGUMENT_WORDS];
  begin_call(t, t->since_ns);
  t->from_proc = 1;
  t->proc_number = nr;
  if (!spec || !spec->listed)
    return;
  t->call_nr = nr;
  t->call_flags = spec->flags;
  t->call_loop = spec->loop;
  t->call_class = spec->wait_class;
  if (t->call_class == WAIT_BY_KIND)
    t->call_class = spec->flags & CALL_OUT ? WAIT_SEND : WAIT_RECV;
  if (spec->fd_arg >= 0 &&
      !bpf_probe_read_kernel(args, sizeof(args), (void *)(regs + OFFSET_ARGUMENTS)))
    t->call_fd = (s32)argument(args, spec->fd_arg);
}

/* The call that a thread was in when we first saw it: is it this one? */
static __always_inline void check_call(struct thread *t, u32 slot, u64 regs)
{
  u32 found = 0;
  t->from_proc = 0;
  if (read_u32(regs + OFFSET_CALL_NUMBER) != t->proc_number)
    t->in_call = 0;
  else if (t->call_fd >= 0) {
    struct descriptor *d = descriptor_of(t, slot, t->call_fd, &found);
    if (d) {
      t->call_descriptor = found;
      t->call_kind = d->kind;
    }
  }
}

int on_sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
  u32 slot;
  struct thread *t = thread_of((u32)bpf_get_current_pid_tgid(), &slot);
  u64 now;
  if (!t)
    return 0;
  now = bpf_ktime_get_ns();
  BEGIN_UPDATE(t);
  if (t->state == STATE_UNKNOWN)
    t->state = STATE_USER;
  charge_running(t, now);
  t->state = STATE_KERNEL;
  enter_call(t, slot, ctx->args[0], ctx->args[1], now);
  TIMELINE_EVENT(t, EVENT_ENTER, t->call_size, now);
  END_UPDATE(t);
  return 0;
}

int on_sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
  u32 slot;
  struct thread *t = thread_of((u32)bpf_get_current_pid_tgid(), &slot);
  u64 now;
  if (!t)
    return 0;
  now = bpf_ktime_get_ns();
  BEGIN_UPDATE(t);
  if (t->state == STATE_UNKNOWN)
    t->state = STATE_KERNEL;
  charge_running(t, now);
  if (t->from_proc)
    check_call(t, slot, ctx->args[0]);
  TIMELINE_EVENT(t, EVENT_EXIT, ctx->args[1], now);
  if (t->in_call)
    leave_call(t, slot, ctx->args[1], now);
  t->in_call = 0;
  t->state = STATE_USER;
  END_UPDATE(t);
  return 0;
}
