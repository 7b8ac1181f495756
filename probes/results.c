/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A system call has returned (full detail): what it has done. */
#define MAX_MESSAGES 64
#define MESSAGE_BYTES 64  /* sizeof(struct mmsghdr), include/linux/socket.h */
#define MESSAGE_LENGTH 56 /* offsetof(struct mmsghdr, msg_len) */

/* Room for a message vector: too large for the stack. Written and read by one run of sys_exit. */
struct message_vector {
  u32 messages[MAX_MESSAGES][MESSAGE_BYTES / sizeof(u32)];
};
BPF_PERCPU_ARRAY(message_vectors, struct message_vector, 1);

/* recvmmsg and sendmmsg return messages; their lengths are in the vector (recvmmsg(2)). Summed
 * without a branch: each branch would double what the verifier has to explore. */
static __always_inline u64 vector_bytes(struct thread *t, u64 vector, u64 messages)
{
  u32 zero = 0, number;
  u64 total = 0;
  s64 more = (s64)(MAX_MESSAGES - messages) >> 63;
  struct message_vector *copy = message_vectors.lookup(&zero);
  if (!copy)
    return 0;
  asm volatile("" : "+r"(more)); /* keeps clang from making a branch of it */
  number = unbounded(t, (messages & ~more) | (MAX_MESSAGES & more));
  number = ((number - 1) & (MAX_MESSAGES - 1)) + 1; /* as it is, which the verifier does not know */
  read_user_memory(copy, number * MESSAGE_BYTES, (void *)vector);
#pragma clang loop unroll(disable)
  for (u64 i = 0; i < MAX_MESSAGES; i++) {
    s64 below = i - number;
    asm volatile("" : "+r"(below)); /* keeps clang from making a branch of it */
    total += copy->messages[i][MESSAGE_LENGTH / sizeof(u32)] & (u64)(below >> 63);
  }
  if (messages > MAX_MESSAGES)
    count(COUNTER_LONG_VECTORS);
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

/* The first wait for the GIL after a call is part of what that call costs, unless the thread has
 * computed for long since: then its turn with the GIL was over. */
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
  update_begin(&c->seq);
  c->gil_waits++;
  c->gil_ns += now - t->call_entry_ns;
  update_end(&c->seq);
}

/* Whether the futex call that ends may be how the thread gave the GIL up and not a call of the
 * program's own: by request those waits are not told from waits for other locks. A thread that has
 * the GIL back after a call, and is made to give it up at once, wakes the other one and waits until
 * that has it; what it then waits for the GIL still belongs to the call. */
static __always_inline int gives_gil_up(struct thread *t)
{
  return t->gil_lookup == GIL_BY_REQUEST && t->call_class == WAIT_LOCK && t->tax_call &&
         t->call_wait_ns < GIL_TAX_NS && t->user_ns - t->tax_user_ns < GIL_TAX_NS;
}

/* The result of the call, as a scalar without bounds: see unbounded(). */
static __always_inline s64 result_of(struct bpf_raw_tracepoint_args *exit)
{
  s64 result;
  asm volatile("%0 = *(u64 *)(%1 + 8)" : "=r"(result) : "r"(exit)); /* args[1] */
  return result;
}

/* A connection was accepted: the number is a new descriptor. */
static __always_inline void accepted(struct thread *t, u64 fd)
{
  t->accepted++;
  t->accepted_fd = fd + 1;
  invalidate_descriptor(t->pid, fd);
}

/* Has the call moved data on a stream socket, or found its end, or accepted a connection? */
static __always_inline int moves_exchange(struct thread *t, s64 ret)
{
  u16 flags = t->call_flags;
  if (t->call_settled) {
    t->call_settled = 0;
    return 0;
  }
  if (ret < 0 || !(flags & (CALL_IN | CALL_OUT | CALL_ACCEPTS)) || t->call_peeks)
    return 0;
  if (flags & CALL_ACCEPTS)
    return 1;
  return (ret || flags & CALL_IN) && t->call_descriptor &&
         (t->call_kind == KIND_TCP || t->call_kind == KIND_UNIX);
}

/* What the call did to the loop that it belongs to, or to the descriptor that it polled. */
static __always_inline void account_loop(struct thread *t, u32 slot, s64 ret, u64 now)
{
  if (t->accepted_fd && t->call_flags & CALL_IN && t->accepted_fd - 1 == (u32)t->call_fd)
    loop_read_eagerly(t);
  if (t->call_loop)
    loop_exit(t, slot, ret, now);
  if (!t->call_wait_ns)
    return;
  if (t->current_loop && !t->call_loop)
    loop_waited(t);
  if ((t->call_loop || t->call_polls) && t->call_fd >= 0)
    polled_alone(t, slot);
}

/* As take_times(): by way of a member that is of no use once the call has ended. */
static __always_inline void hide_bytes(struct thread *t, const struct call_sums *s)
{
  *(volatile u64 *)&t->call_kernel_at_wake_ns = s->bytes;
}

static __always_inline void take_bytes(struct thread *t, struct call_sums *s)
{
  s->bytes = *(volatile u64 *)&t->call_kernel_at_wake_ns;
}

/* exit: the arguments of sys_exit. */
static __always_inline void leave_call(struct bpf_raw_tracepoint_args *exit, struct thread *t,
                                       u32 slot, u64 now)
{
  s64 since = now - t->call_entry_ns, before;
  struct call_sums s = {.calls = 1, .ret = result_of(exit)};
  struct descriptor *d;
  u32 index;

  s.flags = t->call_flags;
  t->syscalls++;
  if (s.ret > 0 && s.flags & (CALL_IN | CALL_OUT)) {
    s.bytes = s.ret;
    if (s.flags & CALL_MESSAGES)
      s.bytes = vector_bytes(t, t->call_buffer, s.ret);
    if (t->call_kind - KIND_FIRST_SOCKET <= (u32)KIND_LAST_SOCKET - KIND_FIRST_SOCKET)
      t->moved_data++;
    else
      t->moved_other++;
    s.estimated = estimate_copy(t, s.flags, s.bytes);
  }
  hide_bytes(t, &s);
  account_loop(t, slot, s.ret, now);
  s.nr = t->call_nr;
  s.kind = t->call_kind;
  s.asked_bytes = t->call_size;
  s.peeks = t->call_peeks;
  s.taken_ns = t->call_first_copy_ns ? t->call_first_copy_ns : now;
  take_times(t, &s);
  before = since >> 63;
  asm volatile("" : "+r"(before)); /* keeps clang from making a branch of it */
  s.total_ns = since & ~before;
  /* Without a known entry (repair.c) since is 0. */
  s.timed = PREEMPTIBLE ? unbounded(t, since != 0) : 1;
  s.ret = result_of(exit);
  take_bytes(t, &s);
  if (t->call_descriptor) {
    index = t->call_descriptor - 1;
    d = descriptors.lookup(&index);
    if (d)
      account_descriptor(t, d, &s);
  }
  if (s.flags & CALL_ACCEPTS && s.ret >= 0)
    accepted(t, s.ret);
  s.ret = result_of(exit);
  take_bytes(t, &s);
  take_times(t, &s);
  index = account_call(t, slot, &s);
  if (t->call_kind == KIND_GIL) {
    add_gil_wait(t, now);
  } else if (!gives_gil_up(t)) {
    t->tax_call = index + 1;
    t->tax_user_ns = t->user_ns;
  }
}
