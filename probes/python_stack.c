/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Python stack of the current thread: walk it, identify it by a hash, keep new ones. */
#if PYTHON
/* The innermost frame of a thread state, 0: it is not running Python code. */
static __always_inline u64 first_frame(struct python *p, u64 state)
{
  u64 frame = read_user(state + p->thread_frame);
  if (frame && p->thread_cframe != NOT_THERE)
    frame = read_user(frame + p->thread_cframe);
  return frame;
}

/* Current's stack pointer in user space, 0: this kernel has no bpf_task_pt_regs. */
static __always_inline u64 user_sp(void)
{
#if HAVE_TASK_PT_REGS
  u64 regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
  return read_u64(regs + OFFSET_STACK_POINTER);
#else
  return 0;
#endif
}

/* Whether a PyThreadState's thread_id, which is pthread_self(), is that of the thread with this
 * thread pointer. */
static __always_inline int is_of(u64 ident, u64 pointer)
{
  return pointer - ident < PTHREAD_BYTES;
}

/* Current's instruction pointer in user space, 0: as above. */
static __always_inline u64 user_instruction(void)
{
#if HAVE_TASK_PT_REGS
  u64 regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
  return read_u64(regs + OFFSET_INSTRUCTION_POINTER);
#else
  return 0;
#endif
}

/* Current's innermost Python frame, 0: none. A thread has a PyThreadState in each interpreter that
 * it has been in; it is in the newest interpreter in which it has frames.
 *
 * With several interpreters in 3.11 and 3.12 a thread may run with a PyThreadState that has the id
 * of the thread that made it. There the PyThreadState points to a _PyCFrame on the C stack of the
 * thread that runs with it: current's is the first above current's stack pointer and below its
 * thread pointer (which is elsewhere for the first thread of a process). */
static __always_inline u64 python_frame(struct thread *t, struct python *p)
{
  u64 pointer = read_u64(bpf_get_current_task() + OFFSET_TASK_THREAD_POINTER);
  u64 interpreter = read_user(p->interpreters), state, frame;
  u64 sp = 0, nearest = 0;
  if (!interpreter || !pointer)
    return 0;
  if (t->python_state && t->python_interpreter == interpreter &&
      is_of(read_user(t->python_state + p->thread_ident), pointer))
    return first_frame(p, t->python_state);
  if (t->python_misses) {
    t->python_misses--;
    return 0;
  }
  t->python_state = 0;
  /* In memory from the start: of a local variable the verifier would explore both values. */
  t->python_misses = MISSES_SKIPPED;
  state = read_user(interpreter + p->interpreter_threads);
  t->python_interpreter = read_user(interpreter + p->interpreter_next) ? 0 : interpreter;
  if (!t->python_interpreter && p->thread_cframe != NOT_THERE)
    sp = user_sp();
  nearest = sp < pointer ? pointer : ~0ULL;
#pragma clang loop unroll(disable)
  for (int i = 0; i < MAX_STATES; i++) {
    if (!state) {
      interpreter = read_user(interpreter + p->interpreter_next);
      if (!interpreter)
        break;
      state = read_user(interpreter + p->interpreter_threads);
    } else {
      if (sp) {
        frame = read_user(state + p->thread_frame);
        if (frame > sp && frame < nearest) {
          nearest = frame;
          t->python_state = state;
        }
      } else if (is_of(read_user(state + p->thread_ident), pointer)) {
        frame = first_frame(p, state);
        t->python_misses = 0; /* even without frames yet: a new thread waits for the GIL */
        if (frame) {
          t->python_state = state;
          return frame;
        }
      }
      state = read_user(state + p->thread_next);
    }
  }
  if (!t->python_state)
    return 0;
  t->python_misses = 0;
  return read_user(nearest + p->thread_cframe);
}

static __always_inline u64 mixed(u64 hash, u64 word)
{
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 29);
}

/* Keep a stack, if it is new. Returns its index + 1, 0: not new, or no room left. */
static __always_inline u32 keep(struct stack *stack)
{
  u64 hash = stack->hash;
  u32 index;
  struct stack *place;
  if (stack_index.lookup(&hash))
    return 0;
  if (!next_unused(COUNTER_STACKS, MAX_STACKS, &index)) {
    count(COUNTER_LOST_STACKS);
    return 0;
  }
  place = stacks.lookup(&index);
  if (!place)
    return 0;
  stack->seq = 0;
  read_kernel_memory(place, sizeof(*place), stack);
  stack_index.update(&hash, &index);
  return index + 1;
}

/* The same for the stack in the room. */
static __always_inline u32 keep_stack(struct walk_room *room)
{
  return keep(&room->stack);
}

/* Index + 1 of the stack in the room, if it is to be described: it is new, and kept; or a sample has
 * kept it first. */
static __always_inline u32 keep_to_describe(struct walk_room *room)
{
  u64 hash = room->stack.hash;
  u32 *index = stack_index.lookup(&hash);
  struct stack *stack;
  if (!index)
    return keep_stack(room);
  stack = stacks.lookup(index);
  return stack && !stack->described ? *index + 1 : 0;
}

/* Without a GIL each thread runs copies of the instructions: from its own to the code object's. */
static __always_inline u64 to_original(struct python *p, u64 code, u32 copy)
{
  u64 copies = read_user(code + p->code_copies);
  return code + p->code_instructions - read_user(copies + COPY_ENTRIES + 8 * (u64)copy);
}

/* Walk a thread's Python stack into the room, from its innermost frame on. Returns its hash, 0:
 * none. */
static __always_inline u64 walk_from(struct thread *t, u64 frame, struct python *p,
                                     struct walk_room *room)
{
  u64 hash, place = 0;
  u32 at_code = p->frame_code & 0x78, at_previous = p->frame_previous & 0x78;
  u32 at_instruction = p->frame_instruction & 0x78, at_owner = p->frame_owner & 0x7f;
  u32 at_copy = p->frame_copy & 0x7c;
  int owners = p->frame_owner != NOT_THERE, copies = p->frame_copy != NOT_THERE;
  u64 state = t->python_state, state_end = p->base_frame_end, tags = p->code_tags;
  u64 mask = p->narrow_instruction ? 0xffffffff : ~0ULL;
  if (!frame)
    return 0;
  hash = mixed(0xcbf29ce484222325ULL, t->pid);
  room->stack.depth = 0;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < MAX_DEPTH; i++) {
    u64 code = 0, instruction = 0;
    if (frame - state < state_end)
      frame = 0;
    if (frame && !read_user_memory(room->frame, FRAME_BYTES, (void *)frame)) {
      code = *(u64 *)(room->frame + at_code) & ~tags;
      instruction = *(u64 *)(room->frame + at_instruction) & mask;
      frame = *(u64 *)(room->frame + at_previous);
      if (owners && (u8)(room->frame[at_owner] - OWNER_SHIM) < OWNERS_SHIM)
        code = instruction = 0;
      else if (copies && *(u32 *)(room->frame + at_copy))
        instruction += to_original(p, code, *(u32 *)(room->frame + at_copy));
      room->stack.depth = i + 1;
    } else {
      frame = 0;
    }
    room->stack.codes[i] = code;
    room->stack.instructions[i] = instruction;
    hash = mixed(mixed(hash, code), instruction);
    place = mixed(mixed(place, code), i ? instruction : 0);
  }
  room->stack.truncated = frame && frame - state >= state_end;
  room->stack.pid = t->pid;
  room->stack.tid = t->tid;
  room->stack.runtime = p->runtime;
  room->stack.hash = hash;
  room->place = place;
  return hash;
}

/* The same for current. */
static __always_inline u64 walk(struct thread *t, struct python *p, struct walk_room *room)
{
  return walk_from(t, python_frame(t, p), p, room);
}
#endif
