/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the other probes ask of Python: the GIL, new threads, exec, the ends of calls. Without
 * PYTHON these functions are empty.
 */
#if PYTHON
static __always_inline u64 read_user(u64 address)
{
  u64 value = 0;
  read_user_memory(&value, sizeof(value), (void *)address);
  return value;
}

/* The GIL of current's process that a futex lies in, 0: none. */
static __always_inline u64 gil_around(struct thread *t, u64 address)
{
  u32 pid = t->pid;
  struct python *p;
  u64 found = 0;
  if (!t->gil)
    return 0;
  if (t->gil_lookup != GIL_BY_REQUEST && address - t->gil < GIL_BYTES)
    return t->gil;
  if (!t->gil_lookup)
    return 0;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
  if (t->gil_lookup == GIL_BY_REQUEST)
    return t->python_state && (u32)read_user(t->python_state + p->gil_requested) == 1 ? t->gil : 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < GILS; i++)
    if (p->gils[i] && address - p->gils[i] < GIL_BYTES)
      found = p->gils[i];
  return found;
}

/* Without a GIL: whether a futex is that of a thread which is stopped by another one, or stops all
 * others: it lies behind the address that the thread is parked on (Python/parking_lot.c). */
static __always_inline int stops_the_world(struct thread *t, u64 address)
{
  u32 pid = t->pid;
  struct python *p;
  u64 parked;
  if (t->gil_lookup != GIL_NONE)
    return 0;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
  parked = read_user(address - PARKED_BYTES);
  return parked - t->python_state < p->thread_size ||
         parked - t->python_interpreter < p->interpreter_size ||
         parked - p->runtime < p->runtime_size;
}

/* A stalled loop begins to wait for the GIL: from now on the stack of the thread that has the GIL
 * is sampled for it (on_sample). */
static __always_inline void loop_waits_for_gil(struct thread *t, u64 gil, u64 now)
{
  u32 index = t->current_loop - 1, pid = t->pid;
  struct loop *l = loops.lookup(&index);
  struct python *p;
  if (!l || !l->returned_ns || now - l->returned_ns < SAMPLE_AFTER_NS)
    return;
  p = pythons.lookup(&pid);
  if (p) {
    p->waiting_gil = gil;
    p->waiting_loop = index + 1;
  }
}

/* A new thread's Python is that of its process, a fork's that of its parent. */
static __always_inline void begin_python(struct thread *t, u32 parent_pid)
{
  u32 pid = t->pid;
  struct python *p = pythons.lookup(&pid);
  if (!p && parent_pid) {
    p = pythons.lookup(&parent_pid);
    if (!p || pythons.update(&pid, p))
      return;
    p = pythons.lookup(&pid);
    if (p)
      p->waiting_loop = 0;
  }
  if (!p)
    return;
  t->walk_over_ns = p->walk_over_ns;
  t->gil = p->gils[0];
  t->gil_lookup = p->gil_lookup;
}

static __always_inline void end_python(struct thread *t)
{
  u32 pid = t->pid;
  pythons.delete(&pid);
  t->walk_over_ns = t->gil = t->python_state = t->gil_lookup = t->python_misses = 0;
}

#define ENFILE 23 /* include/uapi/asm-generic/errno-base.h */
#define EMFILE 24

/* Has the call taken long? walk_over_ns is the threshold + 1. */
static __always_inline int took_long(struct thread *t, u64 now)
{
  return now - t->call_entry_ns + 1 >= t->walk_over_ns;
}

/* Calls whose line says most where they are refused, or are too many, and which are seldom slow. */
static __always_inline int is_told_if_quick(struct thread *t, s64 ret)
{
  return t->call_class == WAIT_CONNECT || ret == -EMFILE || ret == -ENFILE;
}

/* At the very end of sys_exit: makes a tail call to on_slow_call where the call took long, or its
 * line is to be known anyway. */
static __always_inline void walk_slow_call(struct bpf_raw_tracepoint_args *ctx, struct thread *t,
                                           u64 now)
{
  if (!t->walk_over_ns || (!took_long(t, now) && !is_told_if_quick(t, ctx->args[1])))
    return;
  t->call_ended_ns = now;
  walkers.call(ctx, WALKER_CALL);
}

/* Near the end of on_exchange: makes a tail call to on_exchange_task where one of the slowest
 * exchanges of an endpoint has just been answered. */
static __always_inline void name_exchange_task(struct bpf_raw_tracepoint_args *ctx,
                                               struct thread *t)
{
  if (t->kept_exemplar && t->walk_over_ns)
    walkers.call(ctx, WALKER_EXCHANGE_TASK);
}

/* At the very end of sys_enter: makes a tail call to on_stall where a stall has just ended. */
static __always_inline void attribute_stall(struct bpf_raw_tracepoint_args *ctx, struct thread *t)
{
  if (t->call_loop && t->stalled_ns)
    walkers.call(ctx, WALKER_STALL);
}
#else
static __always_inline u64 gil_around(struct thread *t, u64 address)
{
  return 0;
}

static __always_inline int stops_the_world(struct thread *t, u64 address)
{
  return 0;
}

static __always_inline void loop_waits_for_gil(struct thread *t, u64 gil, u64 now)
{
}

static __always_inline void begin_python(struct thread *t, u32 parent_pid)
{
}

static __always_inline void end_python(struct thread *t)
{
}

static __always_inline void walk_slow_call(struct bpf_raw_tracepoint_args *ctx, struct thread *t,
                                           u64 now)
{
}

static __always_inline void name_exchange_task(struct bpf_raw_tracepoint_args *ctx,
                                               struct thread *t)
{
}

static __always_inline void attribute_stall(struct bpf_raw_tracepoint_args *ctx, struct thread *t)
{
}
#endif
