/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asynchronous operations: from their submission to their completion, outside of any call. */
#define IORING_CQE_F_MORE 2 /* include/uapi/linux/io_uring.h */

struct submission {
  u64 submitted_ns;
  u32 pid;
  u16 opcode;
  u8 ran; /* copies, for the completion in progress (preemption.c) */
  u8 reserved;
  u32 scratch; /* as unbounded() */
  u32 padding;
};

/* Request -> its submission. LRU: requests that never complete are evicted. */
BPF_TABLE("lru_hash", u64, struct submission, submissions, MAX_OPERATIONS);

/* An empty record to start from: too large for the stack. */
BPF_ARRAY(no_operation, struct operation, 1);

/* (pid << 32 | opcode) -> totals, written on any CPU. */
BPF_HASH(operations, u64, struct operation, MAX_OPERATION_KINDS);

/* raw io_uring_submit_req(req) */
PROGRAM(on_uring_submit)
{
  u32 slot, tid = current_tid();
  struct thread *t = thread_of(tid, &slot);
  struct submission s = {};
  u64 request = ctx->args[URING_SUBMIT_REQUEST];
  u8 opcode = 0;
  if (!t || already_done(t, DONE_SUBMIT))
    return 0;
  read_kernel_memory(&opcode, 1, (void *)(request + OFFSET_URING_OPCODE));
  s.submitted_ns = bpf_ktime_get_ns();
  s.pid = t->pid;
  s.opcode = opcode;
  submissions.update(&request, &s);
  emit_thread(t, EVENT_SUBMIT, opcode, s.submitted_ns);
  return 0;
}

/* raw io_uring_complete(ctx, req, cqe), until 6.15 (ctx, req, user_data, res, cflags, ...) */
PROGRAM(on_uring_complete)
{
  u64 request = ctx->args[1], key, ns, now;
#if URING_COMPLETE_CQE
  u64 cqe = ctx->args[2];
  s32 result = read_u32(cqe + OFFSET_CQE_RES);
  u32 flags = read_u32(cqe + OFFSET_CQE_FLAGS);
#else
  s32 result = ctx->args[3];
  u32 flags = ctx->args[4];
#endif
  struct submission *s = submissions.lookup(&request);
  int is_last = !PREEMPTIBLE || copy_number() == COPIES - 1;
  struct operation *o;
  u32 bucket;
  if (!s)
    return 0;
  /* Completions of one request come one after the other: the ring's lock is held. The copy that
   * does the work leaves the record to the last one. */
  if (ran_before(&s->ran)) {
    if (is_last && !(flags & IORING_CQE_F_MORE))
      submissions.delete(&request);
    return 0;
  }
  key = ((u64)s->pid << 32) | s->opcode;
  now = bpf_ktime_get_ns();
  ns = now - s->submitted_ns;
  emit_other(EVENT_COMPLETE, s->pid, result, now);
  o = operations.lookup(&key);
  if (!o) {
    u32 zero = 0;
    struct operation *empty = no_operation.lookup(&zero);
    if (!empty)
      return 0;
    operations.insert(&key, empty); /* another CPU may have been first */
    o = operations.lookup(&key);
  }
  if (o) {
    *(volatile u32 *)&s->scratch = histogram_bucket(ns);
    bucket = *(volatile u32 *)&s->scratch;
    __sync_fetch_and_add(&o->completed, 1);
    if (result < 0)
      __sync_fetch_and_add(&o->errors, 1);
    else
      __sync_fetch_and_add(&o->bytes, result);
    atomic_max(&o->max_ns, ns);
    if (bucket < HISTOGRAM_BUCKETS)
      __sync_fetch_and_add(&o->submit_to_complete[bucket], 1);
  } else {
    count(COUNTER_LOST_OPERATIONS);
  }
  if (!(flags & IORING_CQE_F_MORE) && is_last)
    submissions.delete(&request);
  return 0;
}
