/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Python stacks of threads that a clock finds on a CPU, and of those that take a major page fault.
 */
#if PYTHON
/* Slow calls need their stacks: samples make new ones only up to here. */
#define MAX_SAMPLED_STACKS (MAX_STACKS / 2)

static __always_inline int has_stack(struct walk_room *room)
{
  u64 hash = room->stack.hash, *used;
  u32 counter = COUNTER_STACKS;
  if (stack_index.lookup(&hash))
    return 1;
  used = counters.lookup(&counter);
  return used && *used < MAX_SAMPLED_STACKS && keep_stack(room);
}

/* Whether current, which has just been walked, collects garbage: its interpreter does, and current
 * has the GIL. Where there are several interpreters, it is not known. */
static __always_inline int collects(struct thread *t, struct python *p)
{
  u64 interpreter = t->python_interpreter, gil = t->gil;
  if (p->gc_collecting == NOT_THERE || !interpreter)
    return 0;
  if ((u32)read_user(interpreter + p->gc_collecting) != 1)
    return 0;
  return !gil || read_user(gil + GIL_HOLDER) == t->python_state;
}

static __always_inline void add_sample(struct thread *t, u64 stack, u32 of, int collecting)
{
  struct sample_key key = {.stack = stack, .pid = t->pid, .of = of};
  struct sample fresh = {}, *s = samples.lookup(&key);
  if (!s) {
    samples.insert(&key, &fresh);
    s = samples.lookup(&key);
    if (!s) {
      count(COUNTER_LOST_STACKS);
      return;
    }
  }
  __sync_fetch_and_add(&s->count, 1);
  if (t->in_call)
    __sync_fetch_and_add(&s->in_calls, 1);
  if (collecting)
    __sync_fetch_and_add(&s->collecting, 1);
  s->tid = t->tid;
}

/* A CPU clock ticks (perf event). */
PROGRAM(on_sample)
{
  u32 slot, one = 1, pid;
  struct thread *t = thread_of(current_tid(), &slot);
  struct walk_room *room = walk_rooms.lookup(&one);
  struct python *p;
  u64 hash;
  int collecting;
  if (!t || !room || !t->walk_over_ns)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
  hash = walk(t, p, room);
  if (!hash)
    return 0;
  collecting = collects(t, p);
  add_sample(t, has_stack(room) ? hash : 0, SAMPLE_CPU, collecting);
  sample_stall(t, p, room, hash, collecting);
  return 0;
}

/* Current has taken a major page fault (perf event): the page was read from storage. */
PROGRAM(on_major_fault)
{
  u32 slot, two = 2, pid;
  struct thread *t = thread_of(current_tid(), &slot);
  struct walk_room *room = walk_rooms.lookup(&two);
  struct python *p;
  u64 hash;
  if (!t || !room || !t->walk_over_ns)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
  preempt_off(); /* the room is this CPU's */
  hash = walk(t, p, room);
  add_sample(t, hash && has_stack(room) ? hash : 0, SAMPLE_FAULT, 0);
  preempt_on();
  return 0;
}
#endif
