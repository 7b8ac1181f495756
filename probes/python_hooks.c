/* Where the other probes call on Python: locks, new threads, exec, ends of calls. */
#if PYTHON
/* Whether a futex lies in a GIL of current's process. */
static __always_inline int is_gil(struct thread *t, u64 address)
{
  u32 pid = t->pid;
  struct python *p;
  int found = 0;
  if (address - t->gil < GIL_BYTES)
    return 1;
  if (!t->more_gils)
    return 0;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < GILS; i++)
    found |= p->gils[i] && address - p->gils[i] < GIL_BYTES;
  return found;
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
  t->more_gils = p->gils[1] != 0;
}

static __always_inline void end_python(struct thread *t)
{
  u32 pid = t->pid;
  pythons.delete(&pid);
  t->walk_over_ns = t->gil = t->python_state = t->more_gils = t->python_misses = 0;
}

/* walk_over_ns is the threshold + 1, 0: never. Last thing in sys_exit. */
static __always_inline void walk_slow_call(struct bpf_raw_tracepoint_args *ctx, struct thread *t,
                                           u64 now)
{
  if (!t->walk_over_ns || now - t->call_entry_ns + 1 < t->walk_over_ns)
    return;
  t->call_ended_ns = now;
  walkers.call(ctx, WALKER_CALL);
}

/* Last thing in sys_enter. */
static __always_inline void blame_stall(struct bpf_raw_tracepoint_args *ctx, struct thread *t)
{
  if (t->stalled_ns)
    walkers.call(ctx, WALKER_STALL);
}
#define IS_GIL(t, address) ((t)->gil && is_gil(t, address))
#define LOOP_WANTS_GIL(t, now) loop_wants_gil(t, now)
#define BEGIN_PYTHON(t, parent_pid) begin_python(t, parent_pid)
#define END_PYTHON(t) end_python(t)
#define WALK_SLOW_CALL(ctx, t, now) walk_slow_call(ctx, t, now)
#define BLAME_STALL(ctx, t) blame_stall(ctx, t)
#else
#define IS_GIL(t, address) 0
#define LOOP_WANTS_GIL(t, now)
#define BEGIN_PYTHON(t, parent_pid)
#define END_PYTHON(t)
#define WALK_SLOW_CALL(ctx, t, now) (void)known
#define BLAME_STALL(ctx, t)
#endif
