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
  u64 gils[GILS]; /* the main interpreter's first */
  u64 waiting_gil; /* what waiting_loop waits for */
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
  u32 own_loop;
};
BPF_PERCPU_ARRAY(walk_rooms, struct walk_room, 2);

#define WALKER_CALL 0
#define WALKER_STALL 1
#define WALKER_DESCRIBE 2
BPF_PROG_ARRAY(walkers, 4);
#endif
