/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Event loops that stall: what an iteration spent its time on, and on which Python stack.
 *
 * A sampling clock looks at the thread that runs. Samples of the loop's own thread are kept in the
 * loop's record, on the CPU that runs it. Samples of another thread that has the GIL meanwhile are
 * kept with the process (struct holder in python.c): only the holder of the GIL writes there, so
 * there is one writer at a time, as long as the GIL is not handed over in the middle of a sample:
 * then a vote may be lost or counted twice.
 */
#if PYTHON
/* The Python stack of the thread that had the GIL during this iteration, 0: not sampled. */
static __always_inline u64 holder_stack(struct python *p, u32 loop, struct loop *l)
{
  return p && p->holder_loop == loop + 1 && p->holder_iteration == l->iterations ? p->holder_stack
                                                                                : 0;
}

/* The task that the stall was in: the one of the call, or the one that was sampled. */
static __always_inline void keep_task_of_stall(struct stall_key *key, struct loop *l, u64 total)
{
  struct task_key of = {
      .stack = key->stack,
      .of_what = key->loop | (u64)key->cause << 32 | (u64)key->kind << 40 | (u64)key->nr << 48,
      .of = TASK_OF_STALL};
  u32 place = 2 * key->loop + (key->cause == CAUSE_CALL ? LOOP_TASK_OF_CALL : LOOP_TASK_OF_SAMPLE);
  struct task_note *note = loop_tasks.lookup(&place);
  if (key->cause == CAUSE_GIL || !note || !note->depth || note->iteration != l->iterations)
    return;
  if (is_longest(&of, total))
    keep_note(&of, note, total);
}

/* Tail-called from sys_enter: a loop is back at its multiplexer after a stall. */
PROGRAM(on_stall)
{
  u32 slot, index, pid;
  struct thread *t = thread_of(current_tid(), &slot);
  struct stall_key key = {};
  struct stall_cause fresh = {}, *c;
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
  pid = t->pid;
  p = pythons.lookup(&pid);
  cpu = cpu_ns(t) - l->cpu_at_return_ns;
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
    key.stack = holder_stack(p, index, l);
  } else if (call >= cpu && call >= runq) {
    key.cause = CAUSE_CALL;
    key.stack = l->call_stack;
    key.nr = l->iteration_call_nr;
    key.kind = l->iteration_call_kind;
  } else {
    key.cause = cpu < runq ? CAUSE_RUNQ
                : l->iteration_samples && 2 * l->iteration_collecting >= l->iteration_samples
                    ? CAUSE_GC
                    : CAUSE_CPU;
    key.stack = l->cpu_stack ? l->cpu_stack : holder_stack(p, index, l);
  }
  preempt_off();
  update_begin(&l->seq);
  clear_stacks(l);
  update_end(&l->seq);
  preempt_on();
  if (p)
    p->waiting_loop = 0;
  c = stall_causes.lookup(&key);
  if (!c) {
    stall_causes.insert(&key, &fresh);
    c = stall_causes.lookup(&key);
    if (!c) {
      count(COUNTER_LOST_STACKS);
      return 0;
    }
  }
  /* One writer: the loop's thread. */
  c->stalls++;
  c->total_ns += total;
  c->cpu_ns += cpu;
  c->runq_ns += runq;
  c->gil_ns += gil;
  c->call_ns += call;
  if (total > c->max_ns)
    c->max_ns = total;
  c->fd = key.cause == CAUSE_CALL ? l->iteration_call_fd : -1;
  keep_task_of_stall(&key, l, total);
  return 0;
}

/* The stalled loop that current is the cause of: its own, if it has been away from its multiplexer
 * for long, or that of another thread which waits for the GIL. */
static __always_inline struct loop *stalled_loop(struct thread *t, struct python *p, u64 now,
                                                 u32 *number, int *own)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  *own = 1;
  if (l && l->returned_ns && now - l->returned_ns > SAMPLE_AFTER_NS)
    return l;
  *own = 0;
  *number = p->waiting_loop;
  index = *number - 1;
  l = loops.lookup(&index);
  if (l && l->returned_ns && now - l->returned_ns > SAMPLE_AFTER_NS)
    return l;
  return NULL;
}

/* The clock's interrupt may have come in the middle of an update of this very record. Returns
 * whether this sample's stack is the one that is kept now. */
static __always_inline int sample_own(struct loop *l, u64 place, u64 hash, int collecting)
{
  int kept;
  if (*(volatile u32 *)&l->seq & 1)
    return 0;
  update_begin(&l->seq);
  kept = vote(&l->cpu_place, &l->cpu_votes, &l->cpu_stack, &l->cpu_stack_votes, place, hash);
  l->iteration_samples++;
  l->iteration_collecting += collecting;
  update_end(&l->seq);
  return kept;
}

static __always_inline void sample_task(struct thread *t, struct python *p, struct loop *l)
{
  u32 one = 1;
  struct task_room *room = task_rooms.lookup(&one);
  if (room && t->current_loop && read_tasks(t, p, room))
    keep_of_loop(t->current_loop - 1, LOOP_TASK_OF_SAMPLE, l->iterations, &room->note);
}

static __always_inline void sample_holder(struct python *p, u32 loop, u64 iteration, u64 place,
                                          u64 hash)
{
  if (p->holder_loop != loop || p->holder_iteration != iteration) {
    p->holder_stack = p->holder_place = p->holder_votes = p->holder_stack_votes = 0;
    p->holder_loop = loop;
    p->holder_iteration = iteration;
  }
  vote(&p->holder_place, &p->holder_votes, &p->holder_stack, &p->holder_stack_votes, place, hash);
}

/* Current computes on this stack, in Python or in a library. */
static __always_inline void count_code(struct thread *t, u64 hash)
{
  struct page_key key = {.stack = hash, .pid = t->pid};
  u64 none = 0, *samples;
  if (t->in_call)
    return;
  key.page = user_instruction() >> CODE_PAGE_BITS;
  samples = stall_code.lookup(&key);
  if (!samples) {
    stall_code.insert(&key, &none);
    samples = stall_code.lookup(&key);
    if (!samples) {
      count(COUNTER_LOST_STACKS);
      return;
    }
  }
  __sync_fetch_and_add(samples, 1);
}

/* A CPU clock has ticked: what is it that a stalled loop waits for? */
static __always_inline void sample_stall(struct thread *t, struct python *p,
                                         struct walk_room *room, u64 hash, int collecting)
{
  u32 loop = 0;
  int own;
  struct loop *l = stalled_loop(t, p, bpf_ktime_get_ns(), &loop, &own);
  if (!l)
    return;
  if (own) {
    if (sample_own(l, room->place, hash, collecting))
      sample_task(t, p, l);
  } else if (read_user(p->waiting_gil + GIL_HOLDER) == t->python_state) {
    sample_holder(p, loop, l->iterations, room->place, hash);
  } else {
    return;
  }
  count_code(t, hash);
}
#endif
