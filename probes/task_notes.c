/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which asyncio task ran: its name, the tasks that await it, and where those do. Taken of slow calls,
 * of stalls and of slow exchanges alone, and kept of the longest of each kind. From Python 3.14 on,
 * which says itself where its tasks are.
 */
#if PYTHON
/* What a future is awaited by, 0: nothing. Of several one is followed. */
static __always_inline u64 awaiter_of(struct python *p, u64 future, u32 *several)
{
  u64 one = read_user(future + p->task_awaited_by) & ~(u64)p->code_tags, table, mask;
  u8 is_set = 0;
  u64 found = 0;
  read_user_memory(&is_set, 1, (void *)(future + p->task_awaited_by_is_set));
  if (!one || !is_set)
    return one;
  table = read_user(one + p->set_table);
  mask = read_user(one + p->set_mask);
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < SET_ENTRIES; i++) {
    u64 entry = i <= mask ? read_user(table + 16 * i) : 0;
    if (entry && found)
      *several = 1;
    else if (entry)
      found = entry;
  }
  if (mask >= SET_ENTRIES)
    *several = 1;
  return found;
}

/* The task that awaits a future: directly, or by way of other futures, which asyncio.gather() and
 * others put in between. */
static __always_inline u64 awaiting_task(struct python *p, u64 future, u32 *several)
{
#pragma clang loop unroll(disable)
  for (int i = 0; i < FUTURES_BETWEEN; i++) {
    u8 is_task = 0;
    future = awaiter_of(p, future, several);
    if (!future)
      return 0;
    read_user_memory(&is_task, 1, (void *)(future + p->task_is_task));
    if (is_task)
      return future;
  }
  return 0;
}

/* Where a task's own coroutine awaits, into the stack of those that await. */
static __always_inline int add_coroutine(struct python *p, struct stack *chain, u64 task, u32 place)
{
  u64 frame = (read_user(task + p->task_coro) & ~(u64)p->code_tags) + p->coroutine_frame;
  u64 code = read_user(frame + p->frame_code) & ~(u64)p->code_tags;
  if (!code || place >= TASKS - 1)
    return 0;
  chain->codes[place] = code;
  chain->instructions[place] = read_user(frame + p->frame_instruction);
  chain->depth = place + 1;
  return 1;
}

/* Current's running task and those that await it, into the room. 0: it runs none. */
static __always_inline int read_tasks(struct thread *t, struct python *p, struct task_room *room)
{
  struct task_note *n = &room->note;
  struct stack *chain = &room->chain;
  u64 task, hash;
  if (p->running_task == NOT_THERE || !t->python_state)
    return 0;
  task = read_user(t->python_state + p->running_task);
  if (!task)
    return 0;
  n->depth = n->several = 0;
  chain->depth = 0;
  hash = mixed(0xcbf29ce484222325ULL, t->pid);
#pragma unroll
  for (u32 i = 0; i < TASKS; i++) {
    if (!task || (i && !add_coroutine(p, chain, task, i - 1)))
      break;
    read_piece(n->names + i * TASK_NAME_BYTES, TASK_NAME_BYTES, read_user(task + p->task_name));
    n->depth = i + 1;
    task = awaiting_task(p, task, &n->several);
  }
  n->more = task != 0;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < MAX_DEPTH; i++) {
    if (i >= chain->depth)
      chain->codes[i] = chain->instructions[i] = 0;
    hash = mixed(mixed(hash, chain->codes[i]), chain->instructions[i]);
  }
  chain->truncated = 0;
  chain->pid = t->pid;
  chain->tid = t->tid;
  chain->runtime = p->runtime;
  chain->hash = hash;
  n->chain = chain->depth ? hash : 0;
  if (chain->depth)
    keep(chain);
  return 1;
}

static __always_inline int is_longest(struct task_key *key, u64 ns)
{
  struct task_note *kept = task_notes.lookup(key);
  return !kept || kept->longest_ns < ns;
}

static __always_inline void keep_note(struct task_key *key, struct task_note *note, u64 ns)
{
  note->longest_ns = ns;
  if (task_notes.update(key, note))
    count(COUNTER_LOST_STACKS);
}

/* The task in which a loop's iteration had its longest wait, or was sampled, in case it stalls. */
static __always_inline void keep_of_loop(u32 loop, u32 of, u64 iteration, struct task_note *note)
{
  u32 place = 2 * loop + of;
  struct task_note *kept = loop_tasks.lookup(&place);
  if (!kept)
    return;
  read_kernel_memory(kept, sizeof(*kept), note);
  kept->iteration = iteration;
}

/* Tail-called from on_slow_call and on_new_stack: the call's line is kept, current's stack is in the
 * room. */
PROGRAM(on_task)
{
  u32 slot, zero = 0, pid, index;
  struct thread *t = thread_of(current_tid(), &slot);
  struct walk_room *walked = walk_rooms.lookup(&zero);
  struct task_room *room = task_rooms.lookup(&zero);
  struct task_key key = {.of = TASK_OF_LINE};
  struct python *p;
  struct loop *l;
  u64 total;
  int of_line, of_loop;
  if (!t || !walked || !room)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
  preempt_off();
  if (walked->stack.tid == t->tid) { /* unless preempted since it was walked */
    key.stack = walked->stack.hash;
    key.of_what = pid | (u64)t->call_nr << 32 | (u64)t->call_kind << 48;
    total = t->call_ended_ns - t->call_entry_ns;
    index = t->current_loop - 1;
    l = t->current_loop && !t->call_loop ? loops.lookup(&index) : NULL;
    of_line = is_longest(&key, total);
    of_loop = l && l->call_stack == key.stack && l->call_stack_ns == t->call_wait_ns;
    if ((of_line || of_loop) && read_tasks(t, p, room)) {
      if (of_line)
        keep_note(&key, &room->note, total);
      if (of_loop)
        keep_of_loop(index, LOOP_TASK_OF_CALL, l->iterations, &room->note);
    }
  }
  preempt_on();
  ask_for_waker(ctx, t);
  return 0;
}

/* Tail-called from on_exchange: one of the slowest exchanges has just been answered. */
PROGRAM(on_exchange_task)
{
  u32 slot, zero = 0, pid, place;
  struct thread *t = thread_of(current_tid(), &slot);
  struct task_room *room = task_rooms.lookup(&zero);
  struct task_key key = {.of = TASK_OF_EXCHANGE};
  struct exemplar *kept;
  struct python *p;
  if (!t || !room)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  key.stack = t->kept_exemplar;
  place = t->kept_exemplar - 1;
  t->kept_exemplar = 0;
  kept = exemplars.lookup(&place);
  if (p && kept && p->running_task != NOT_THERE) {
    preempt_off();
    if (python_frame(t, p) && read_tasks(t, p, room))
      keep_note(&key, &room->note, kept->latency_ns);
    preempt_on();
  }
  walk_slow_call(ctx, t, t->call_ended_ns);
  return 0;
}
#endif
