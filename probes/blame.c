/* Event loops that are held up: whom to blame. */
#if PYTHON
/* Entered from sys_enter: a loop is back at its multiplexer after too long. */
PROGRAM(on_stall)
{
  u32 slot, index, pid;
  struct thread *t = thread_of(current_tid(), &slot);
  struct culprit_key key = {};
  struct culprit fresh = {}, *c;
  struct python *p;
  struct loop *l;
  u64 total, cpu, runq, gil, call = 0;
  if (!t)
    return 0;
  total = t->stalled_ns;
  t->stalled_ns = 0;
  index = t->loops[t->call_loop & (LOOP_KINDS - 1)] - 1;
  l = loops.lookup(&index);
  if (!l)
    return 0;
  cpu = t->user_ns + t->kernel_ns + t->copy_ns - l->cpu_at_return_ns;
  runq = t->runq_ns - l->runq_at_return_ns;
  gil = l->iteration_waited ? l->iteration_wait_ns[WAIT_GIL] : 0;
  if (l->iteration_waited) {
#pragma clang loop unroll(disable)
    for (int i = 0; i < WAIT_CLASSES; i++)
      call += l->iteration_wait_ns[i];
    call -= gil;
  }
  key.loop = index;
  if (gil >= cpu && gil >= runq && gil >= call) {
    key.cause = CAUSE_GIL;
    key.stack = l->blamed_holder;
  } else if (call >= cpu && call >= runq) {
    key.cause = CAUSE_CALL;
    key.stack = l->blamed_call;
    key.nr = l->iteration_call_nr;
    key.kind = l->iteration_call_kind;
  } else {
    key.cause = cpu >= runq ? CAUSE_CPU : CAUSE_RUNQ;
    key.stack = l->blamed_cpu ? l->blamed_cpu : l->blamed_holder;
  }
  forget_blame(l);
  pid = t->pid;
  p = pythons.lookup(&pid);
  if (p)
    p->waiting_loop = 0;
  c = culprits.lookup(&key);
  if (!c) {
    culprits.insert(&key, &fresh);
    c = culprits.lookup(&key);
    if (!c) {
      count(COUNTER_LOST_STACKS);
      return 0;
    }
  }
  c->stalls++;
  c->total_ns += total;
  c->cpu_ns += cpu;
  c->runq_ns += runq;
  c->gil_ns += gil;
  c->call_ns += call;
  if (total > c->max_ns)
    c->max_ns = total;
  c->fd = key.cause == CAUSE_CALL ? l->iteration_call_fd : -1;
  return 0;
}

/* The loop that current holds up just now: its own, if it is away from its multiplexer for long;
 * or that of another thread, which waits for the GIL meanwhile. */
static __always_inline struct loop *held_up_loop(struct thread *t, struct python *p, u64 now,
                                                 int *own)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  *own = 1;
  if (l && l->returned_ns && now - l->returned_ns > SAMPLE_AFTER_NS)
    return l;
  *own = 0;
  index = p->waiting_loop - 1;
  l = loops.lookup(&index);
  if (l && l->returned_ns && now - l->returned_ns > SAMPLE_AFTER_NS)
    return l;
  return NULL;
}

/* Which function was seen most (Boyer and Moore's majority vote, and once is no more than a hint):
 * the last sample may already be past what held the loop up. True: this one is to be blamed. */
static __always_inline int vote(struct loop *l, u64 place, u64 blamed)
{
  if (l->blamed_place == place) {
    l->blamed_votes++;
    return l->blamed_votes == 2;
  }
  if (l->blamed_votes) {
    l->blamed_votes--;
    return 0;
  }
  l->blamed_place = place;
  l->blamed_votes = 1;
  return !blamed;
}

/* A CPU clock ticks (perf event). Walks only while a loop is held up. */
PROGRAM(on_sample)
{
  u32 slot, one = 1, pid;
  struct thread *t = thread_of(current_tid(), &slot);
  struct walk_room *room = walk_rooms.lookup(&one);
  struct python *p;
  struct loop *l;
  u64 hash;
  int own;
  if (!t || !room || !t->walk_over_ns)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
  l = held_up_loop(t, p, bpf_ktime_get_ns(), &own);
  if (!l)
    return 0;
  /* By way of memory: else the verifier walks the walk twice. */
  *(volatile u32 *)&room->own_loop = own;
  hash = walk(t, p, room);
  if (!hash)
    return 0;
  own = *(volatile u32 *)&room->own_loop;
  if (!own && read_user(p->waiting_gil + GIL_HOLDER) != t->python_state)
    return 0;
  if (vote(l, room->place, own ? l->blamed_cpu : l->blamed_holder))
    *(own ? &l->blamed_cpu : &l->blamed_holder) = hash;
  keep_stack(room);
  return 0;
}
#endif
