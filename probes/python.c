/* Python: which line made a slow call, what held an event loop up. Compiled in with PYTHON.
 *
 * A thread's frames can't change while it sits in a call, so they are walked at its exit, and only
 * where it took longer than its process's threshold. The walks are programs of their own, entered
 * by tail calls: fast calls pay one comparison, and the verifier looks at each program alone.
 * Everything read here is the target's own memory: it may say anything, so every walk is bounded.
 */
#if PYTHON
#define MAX_DEPTH 32
#define MAX_STATES 256
#define FRAME_BYTES 112
#define OWNER_SHIM 3
#define NOT_THERE 0xffffffff
#define MISSES_SKIPPED 63 /* slow calls of a thread that had no Python state when last looked */
#define CODE_HEAD 256
#define CODE_TEXT 256
#define CODE_TABLE 1024

/* Where an interpreter keeps what; from iotrace/pystack/offsets.py. Flat. */
struct python {
  u64 interpreters; /* address of the pointer to the newest one */
  u64 walk_over_ns;
  u64 gils[GILS];
  u32 interpreter_next;
  u32 interpreter_threads;
  u32 thread_next;
  u32 thread_ident;
  u32 thread_frame;
  u32 thread_cframe;
  u32 frame_code;
  u32 frame_previous;
  u32 frame_instruction;
  u32 frame_owner;
  u32 narrow_instruction; /* 4 bytes, not an address */
  u32 code_file;
  u32 code_name;
  u32 code_linetable;
  u32 waiting_loop; /* index + 1 of a held-up loop that waits for the GIL */
  u32 reserved;
};

/* Processes whose Python is known. Written by user space, by task_newtask for forks; deleted by
 * exec and by user space. Read by the walks. */
BPF_HASH(pythons, u32, struct python, MAX_TARGETS);

/* One distinct stack of one process, innermost frame first. Written once, before stack_index. */
struct stack {
  u32 seq;
  u32 pid;
  u32 tid; /* of the thread that was seen there first */
  u32 depth;
  u32 truncated;
  u32 reserved;
  u64 hash;
  u64 codes[MAX_DEPTH];
  u64 instructions[MAX_DEPTH];
};
BPF_F_TABLE("array", u32, struct stack, stacks, MAX_STACKS, MMAPABLE);
BPF_HASH(stack_index, u64, u32, MAX_STACKS);

/* What names a code object, as it was when first seen: its process may be gone before user space
 * can look. Written once, before code_index. */
struct code {
  u32 seq;
  u32 pid;
  u64 address;
  u64 file_address;
  u64 name_address;
  u64 table_address;
  u8 head[CODE_HEAD];
  u8 file[CODE_TEXT];
  u8 name[CODE_TEXT];
  u8 table[CODE_TABLE];
};
BPF_F_TABLE("array", u32, struct code, codes, MAX_CODES, MMAPABLE);
struct code_key {
  u64 address;
  u64 pid;
};
BPF_HASH(code_index, struct code_key, u32, MAX_CODES);

/* Slow calls by (process, stack, call, kind). Written by the walks, read by user space. */
struct line_key {
  u64 stack;
  u32 pid;
  u16 nr;
  u16 kind;
};
struct line {
  u64 calls;
  u64 total_ns;
  u64 wait_ns;
  u64 runq_ns;
  u64 copy_ns;
  u64 max_ns;
  s32 fd; /* of the latest */
  u32 tid;
};
BPF_HASH(lines, struct line_key, struct line, MAX_LINES);

/* Stalls of loops by (loop, what held it up, where). Written by on_stall, read by user space. */
struct culprit_key {
  u64 stack;
  u32 loop;
  u8 cause; /* CAUSE_* */
  u8 kind;
  u16 nr;
};
struct culprit {
  u64 stalls;
  u64 total_ns;
  u64 cpu_ns;
  u64 runq_ns;
  u64 gil_ns;
  u64 call_ns;
  u64 max_ns;
  s32 fd;
  u32 reserved;
};
BPF_HASH(culprits, struct culprit_key, struct culprit, MAX_LINES);

/* Room for a walk. Written and read by one run of one program, or by two in a tail call. */
struct walk_room {
  u8 frame[128];
  struct stack stack;
  u64 place; /* as the stack's hash, but for the instruction of its innermost frame */
  u32 found; /* index + 1 of a new stack whose codes are to be described */
  u32 reserved;
};
BPF_PERCPU_ARRAY(walk_rooms, struct walk_room, 2);

#define WALKER_CALL 0
#define WALKER_STALL 1
#define WALKER_DESCRIBE 2
BPF_PROG_ARRAY(walkers, 4);

static __always_inline u64 read_user(u64 address)
{
  u64 value = 0;
  bpf_probe_read_user(&value, sizeof(value), (void *)address);
  return value;
}

/* The innermost frame of a thread state, 0: it runs no Python now. */
static __always_inline u64 first_frame(struct python *p, u64 state)
{
  u64 frame = read_user(state + p->thread_frame);
  if (frame && p->thread_cframe != NOT_THERE)
    frame = read_user(frame + p->thread_cframe);
  return frame;
}

/* Current's innermost Python frame, 0: none. A thread has a state in each interpreter that it has
 * been in; the newest interpreter in which it has frames is the one that it is in. */
static __always_inline u64 python_frame(struct thread *t, struct python *p)
{
  u64 ident = read_u64(bpf_get_current_task() + OFFSET_TASK_FSBASE);
  u64 interpreter = read_user(p->interpreters), state, frame;
  if (!interpreter || !ident)
    return 0;
  if (t->python_state && t->python_interpreter == interpreter &&
      read_user(t->python_state + p->thread_ident) == ident)
    return first_frame(p, t->python_state);
  if (t->python_misses) {
    t->python_misses--;
    return 0;
  }
  t->python_state = 0;
  state = read_user(interpreter + p->interpreter_threads);
  t->python_interpreter = read_user(interpreter + p->interpreter_next) ? 0 : interpreter;
#pragma clang loop unroll(disable)
  for (int i = 0; i < MAX_STATES; i++) {
    if (!state) {
      interpreter = read_user(interpreter + p->interpreter_next);
      if (!interpreter)
        break;
      state = read_user(interpreter + p->interpreter_threads);
    } else {
      if (read_user(state + p->thread_ident) == ident) {
        frame = first_frame(p, state);
        if (frame) {
          t->python_state = state;
          return frame;
        }
      }
      state = read_user(state + p->thread_next);
    }
  }
  t->python_misses = MISSES_SKIPPED;
  return 0;
}

static __always_inline u64 mixed(u64 hash, u64 word)
{
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 29);
}

/* Keep the stack in the room, if it is a new one: its index + 1, else 0. */
static __always_inline u32 keep_stack(struct walk_room *room)
{
  u64 hash = room->stack.hash;
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
  room->stack.seq = 0;
  bpf_probe_read_kernel(place, sizeof(*place), &room->stack);
  stack_index.update(&hash, &index);
  return index + 1;
}

/* Current's Python stack: its hash, 0: it has none. */
static __always_inline u64 walk(struct thread *t, struct python *p, struct walk_room *room)
{
  u64 frame = python_frame(t, p), hash, place = 0;
  u32 at_code = p->frame_code & 0x78, at_previous = p->frame_previous & 0x78;
  u32 at_instruction = p->frame_instruction & 0x78, at_owner = p->frame_owner & 0x7f;
  int owners = p->frame_owner != NOT_THERE;
  u64 mask = p->narrow_instruction ? 0xffffffff : ~0ULL;
  if (!frame)
    return 0;
  hash = mixed(0xcbf29ce484222325ULL, t->pid);
  room->stack.depth = 0;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < MAX_DEPTH; i++) {
    u64 code = 0, instruction = 0;
    if (frame && !bpf_probe_read_user(room->frame, FRAME_BYTES, (void *)frame)) {
      code = *(u64 *)(room->frame + at_code);
      instruction = *(u64 *)(room->frame + at_instruction) & mask;
      frame = *(u64 *)(room->frame + at_previous);
      if (owners && room->frame[at_owner] == OWNER_SHIM)
        code = instruction = 0;
      room->stack.depth = i + 1;
    } else {
      frame = 0;
    }
    room->stack.codes[i] = code;
    room->stack.instructions[i] = instruction;
    hash = mixed(mixed(hash, code), instruction);
    place = mixed(mixed(place, code), i ? instruction : 0);
  }
  room->stack.truncated = frame != 0;
  room->stack.pid = t->pid;
  room->stack.tid = t->tid;
  room->stack.hash = hash;
  room->place = place;
  return hash;
}

/* The longest waits of a loop's iteration: their stacks are what is blamed for a stall. */
static __always_inline void blame_call(struct thread *t, u64 hash)
{
  u32 index = t->current_loop - 1;
  struct loop *l = loops.lookup(&index);
  if (!l || !l->returned_ns || t->call_class == WAIT_GIL || t->call_wait_ns < l->blamed_ns)
    return;
  l->blamed_ns = t->call_wait_ns;
  l->blamed_call = hash;
}

static __always_inline void add_line(struct thread *t, u64 hash)
{
  struct line_key key = {
      .stack = hash, .pid = t->pid, .nr = t->call_nr, .kind = t->call_kind};
  struct line fresh = {}, *l = lines.lookup(&key);
  u64 total = t->call_ended_ns - t->call_entry_ns;
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
  if (total > l->max_ns)
    l->max_ns = total;
  l->fd = t->call_fd;
  l->tid = t->tid;
}

/* Entered from sys_exit: the call that has just ended took long. */
int on_slow_call(struct bpf_raw_tracepoint_args *ctx)
{
  u32 slot, zero = 0, pid;
  struct thread *t = thread_of((u32)bpf_get_current_pid_tgid(), &slot);
  struct walk_room *room = walk_rooms.lookup(&zero);
  struct python *p;
  u64 hash;
  if (!t || !room)
    return 0;
  pid = t->pid;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
  hash = walk(t, p, room);
  if (!hash)
    return 0;
  add_line(t, hash);
  if (t->current_loop && !t->call_loop)
    blame_call(t, hash);
  room->found = keep_stack(room);
  if (room->found)
    walkers.call(ctx, WALKER_DESCRIBE);
  return 0;
}

/* As much as there is: the next page may be none, or not in memory. */
static __always_inline void read_piece(u8 *to, u32 most, u64 address)
{
  u32 left = 4096 - (address & 4095);
  if (bpf_probe_read_user(to, most, (void *)address) && left < most)
    bpf_probe_read_user(to, left, (void *)address);
}

/* Entered from on_slow_call: keep what names the code objects of a new stack. */
int on_new_stack(struct bpf_raw_tracepoint_args *ctx)
{
  u32 zero = 0, index, pid;
  struct walk_room *room = walk_rooms.lookup(&zero);
  struct python *p;
  struct code *c;
  if (!room)
    return 0;
  pid = room->stack.pid;
  p = pythons.lookup(&pid);
  if (!p)
    return 0;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < MAX_DEPTH; i++) {
    struct code_key key = {.address = room->stack.codes[i], .pid = pid};
    if (i >= room->stack.depth)
      break;
    if (!key.address || code_index.lookup(&key))
      continue;
    if (!next_unused(COUNTER_CODES, MAX_CODES, &index))
      break; /* user space reads the rest while the process lives */
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
    c->address = key.address;
    c->pid = pid;
    code_index.update(&key, &index);
  }
  return 0;
}

/* Entered from sys_enter: a loop is back at its multiplexer after too long. */
int on_stall(struct bpf_raw_tracepoint_args *ctx)
{
  u32 slot, index, pid;
  struct thread *t = thread_of((u32)bpf_get_current_pid_tgid(), &slot);
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

/* A held-up loop begins to wait for the GIL: whoever runs with it is to be blamed. */
static __always_inline void loop_wants_gil(struct thread *t, u64 now)
{
  u32 index = t->current_loop - 1, pid = t->pid;
  struct loop *l = loops.lookup(&index);
  struct python *p;
  if (!l || !l->returned_ns || now - l->returned_ns < SAMPLE_AFTER_NS)
    return;
  p = pythons.lookup(&pid);
  if (p)
    p->waiting_loop = index + 1;
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

/* Which function was seen most (Boyer and Moore's majority vote): the last sample may already be
 * past what held the loop up. True: this one is to be blamed for now. */
static __always_inline int vote(struct loop *l, u64 place)
{
  if (l->blamed_place == place) {
    l->blamed_votes++;
    return 0;
  }
  if (l->blamed_votes) {
    l->blamed_votes--;
    return 0;
  }
  l->blamed_place = place;
  l->blamed_votes = 1;
  return 1;
}

/* A CPU clock ticks (perf event). Walks only while a loop is held up. */
int on_sample(struct bpf_raw_tracepoint_args *ctx)
{
  u32 slot, one = 1, pid;
  struct thread *t = thread_of((u32)bpf_get_current_pid_tgid(), &slot);
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
  hash = walk(t, p, room);
  if (!hash)
    return 0;
  if (!own && read_user(t->gil + GIL_HOLDER) != t->python_state)
    return 0;
  if (vote(l, room->place))
    *(own ? &l->blamed_cpu : &l->blamed_holder) = hash;
  keep_stack(room);
  return 0;
}

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
#define WALK_SLOW_CALL(ctx, t, now)
#define BLAME_STALL(ctx, t)
#endif
