/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Slow calls, and some others, by Python line, and what names the code of those lines. */
#if PYTHON
/* As in maps.c. */
static long (*read_user_text)(void *to, u32 bytes, const void *from) =
    (void *)BPF_FUNC_probe_read_user_str;

/* The stack of the call with the longest wait in a loop iteration, for the case that it stalls. */
static __always_inline void keep_longest_wait(struct thread *t, u64 hash)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  if (!l || !l->returned_ns || t->call_class == WAIT_GIL || t->call_wait_ns < l->call_stack_ns)
    return;
  update_begin(&l->seq);
  l->call_stack_ns = t->call_wait_ns;
  l->call_stack = hash;
  update_end(&l->seq);
}

/* For the requests that current has in hand. */
static __always_inline void note_slow_call(struct thread *t, u64 hash)
{
  u32 place = unbounded(t, t->slow_calls) & (SLOW_CALLS - 1);
  t->slow_stacks[place] = hash;
  t->slow_woken_ns[place] = t->call_ended_ns - t->call_runq_ns - t->call_kernel_ns;
  t->slow_wait_ns[place] = t->call_wait_ns;
  t->slow_nrs[place] = t->call_nr;
  t->slow_kinds[place] = t->call_kind;
  t->slow_calls++;
}

static __always_inline void add_line(struct thread *t, u64 hash)
{
  struct line_key key = {
      .stack = hash, .pid = t->pid, .nr = t->call_nr, .kind = t->call_kind};
  struct line fresh = {}, *l = lines.lookup(&key);
  u64 total = t->call_ended_ns - t->call_entry_ns;
  u64 bucket = histogram_bucket(total) >> LINE_SHIFT;
  if (!l) {
    lines.insert(&key, &fresh);
    l = lines.lookup(&key);
    if (!l) {
      count(COUNTER_LOST_STACKS);
      return;
    }
  }
  __sync_fetch_and_add(&l->calls, 1);
  __sync_fetch_and_add(&l->total_ns, total);
  __sync_fetch_and_add(&l->wait_ns, t->call_wait_ns);
  __sync_fetch_and_add(&l->runq_ns, t->call_runq_ns);
  __sync_fetch_and_add(&l->copy_ns, t->call_copy_ns);
  atomic_max(&l->max_ns, total);
  asm volatile("" : "+r"(bucket)); /* the verifier of 5.15 must see the bound of what it adds */
  if (bucket < LINE_BUCKETS)
    __sync_fetch_and_add(&l->latency[bucket], 1);
  l->fd = t->call_fd;
  l->tid = t->tid;
}

/* Keep the path that the call was given, if none of its line has taken longer. regs: the saved
 * registers. Only while preemption is off: the room is this CPU's. */
static __always_inline void keep_path(struct thread *t, u64 hash, u64 regs)
{
  struct line_key key = {
      .stack = hash, .pid = t->pid, .nr = t->call_nr, .kind = t->call_kind};
  struct call_spec *spec = spec_of(t->call_nr);
  struct line *l;
  struct line_path *room;
  struct arguments args;
  u32 zero = 0;
  if (!spec || !spec->listed || spec->path_arg == NO_ARGUMENT)
    return;
  l = lines.lookup(&key);
  room = path_rooms.lookup(&zero);
  if (!l || !room || t->call_ended_ns - t->call_entry_ns < l->max_ns ||
      !find_arguments(&args, regs))
    return;
  if (read_user_text(room->path, PATH_BYTES, (void *)argument(&args, spec->path_arg)) > 0)
    line_paths.update(&key, room);
}

/* A tail call to on_wake where the call was a wait for a lock that somebody has ended: with
 * EAGAIN it has not waited, with ETIMEDOUT nobody came. */
static __always_inline void ask_for_waker(struct bpf_raw_tracepoint_args *ctx, struct thread *t)
{
  if ((t->call_class == WAIT_LOCK || t->call_class == WAIT_GIL) && !ctx->args[1] && t->waker)
    walkers.call(ctx, WALKER_WAKE);
}

/* A tail call to on_task where current runs an asyncio task that can be read. */
static __always_inline void ask_for_task(struct bpf_raw_tracepoint_args *ctx, struct thread *t,
                                         struct python *p)
{
  if (p->running_task != NOT_THERE && t->python_state &&
      read_user(t->python_state + p->running_task))
    walkers.call(ctx, WALKER_TASK);
}

/* Tail-called from sys_exit: the line of the call that has just ended is to be known. */
PROGRAM(on_slow_call)
{
  u32 slot, zero = 0, pid, found = 0;
  struct thread *t = thread_of(current_tid(), &slot);
  struct walk_room *room = walk_rooms.lookup(&zero);
  struct python *p;
  u64 hash;
  if (!t || !room)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
  preempt_off(); /* the room is this CPU's */
  hash = walk(t, p, room);
  if (hash) {
    add_line(t, hash);
    keep_path(t, hash, ctx->args[0]);
    if (took_long(t, t->call_ended_ns))
      note_slow_call(t, hash);
    if (t->current_loop && !t->call_loop)
      keep_longest_wait(t, hash);
    found = t->new_stack = keep_to_describe(room);
  }
  preempt_on();
  if (found)
    walkers.call(ctx, WALKER_DESCRIBE);
  if (hash)
    ask_for_task(ctx, t, p);
  ask_for_waker(ctx, t);
  return 0;
}

/* As much as can be read: the next page may not be mapped, or not be in memory. */
static __always_inline void read_piece(u8 *to, u32 most, u64 address)
{
  u32 left = 4096 - (address & 4095);
  if (read_user_memory(to, most, (void *)address) && left < most)
    read_user_memory(to, left, (void *)address);
}

/* Tail-called from on_slow_call: keep what names the code objects of a new stack. */
PROGRAM(on_new_stack)
{
  u32 index, pid, slot;
  struct thread *t = thread_of(current_tid(), &slot);
  struct stack *stack;
  struct python *p;
  struct code *c;
  if (!t)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  /* As it was kept: another task may have walked in this CPU's room since (preemption.c). */
  index = t->new_stack - 1;
  stack = stacks.lookup(&index);
  if (!p || !stack)
    return 0;
  preempt_off();
  stack->described = 1;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < MAX_DEPTH; i++) {
    struct code_key key = {.address = stack->codes[i], .pid = pid};
    if (i >= stack->depth)
      break;
    if (!key.address || code_index.lookup(&key))
      continue;
    if (!next_unused(COUNTER_CODES, MAX_CODES, &index))
      break; /* user space reads the others while the process lives */
    c = codes.lookup(&index);
    if (!c)
      break;
    c->file_address = read_user(key.address + p->code_file);
    c->name_address = read_user(key.address + p->code_name);
    c->table_address = read_user(key.address + p->code_linetable);
    read_piece(c->head, CODE_HEAD, key.address);
    read_piece(c->file, CODE_TEXT, c->file_address);
    read_piece(c->name, CODE_TEXT, c->name_address);
    read_piece(c->table, CODE_TABLE, c->table_address);
    c->runtime = stack->runtime;
    c->address = key.address;
    c->pid = pid;
    code_index.update(&key, &index);
  }
  preempt_on();
  ask_for_task(ctx, t, p);
  ask_for_waker(ctx, t);
  return 0;
}

/* Tail-called where current has waited for a lock: which thread of its process has ended the wait,
 * and where that is by now, a few microseconds after it has let go of the lock. */
PROGRAM(on_wake)
{
  u32 slot, zero = 0, pid;
  struct thread *t = thread_of(current_tid(), &slot), *waker;
  struct walk_room *room = walk_rooms.lookup(&zero);
  struct wake_key key = {};
  struct wake fresh = {}, *found;
  struct python *p;
  u64 frame;
  if (!t || !room)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  waker = thread_of((u32)t->waker, &slot);
  if (!p || !waker || waker->pid != pid || waker->tid == t->tid)
    return 0;
  preempt_off();
  if (room->stack.tid == t->tid) { /* on_slow_call has just walked there, unless preempted since */
    key.waiter = room->stack.hash;
    key.pid = pid;
    key.kind = t->call_kind;
    frame = waker->python_state ? first_frame(p, waker->python_state) : 0;
    key.waker = walk_from(waker, frame, p, room);
    if (key.waker)
      keep_stack(room);
    found = wakes.lookup(&key);
    if (!found) {
      wakes.insert(&key, &fresh);
      found = wakes.lookup(&key);
    }
    if (found) {
      __sync_fetch_and_add(&found->calls, 1);
      __sync_fetch_and_add(&found->wait_ns, t->call_wait_ns);
      atomic_max(&found->max_ns, t->call_wait_ns);
      found->tid = waker->tid;
    } else {
      count(COUNTER_LOST_STACKS);
    }
  }
  preempt_on();
  return 0;
}
#endif
