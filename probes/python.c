/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Python: the lines of slow calls and the causes of stalled event loops. Compiled in with PYTHON.
 *
 * A thread's frames cannot change while it is in a call, so they are walked at the call's exit,
 * and only where it took longer than the threshold of its process, or is_told_if_quick(). The walks are programs that are
 * tail-called: fast calls cost one comparison, and the verifier checks each program by itself.
 * Everything that is read here is memory of the target and may hold anything, so every walk is
 * bounded.
 */
#if PYTHON
#define MAX_DEPTH 32
#define MAX_STATES 256
#define FRAME_BYTES 112 /* the part of struct _PyInterpreterFrame (PyFrameObject) that is read */
/* FRAME_OWNED_BY_CSTACK, FRAME_OWNED_BY_INTERPRETER: Include/internal/pycore_frame.h, 3.12 on */
#define OWNER_SHIM 3
#define OWNERS_SHIM 2 /* that and the next */
#define COPY_ENTRIES 8 /* in struct _PyCodeArray: copies of the instructions, without a GIL */
#define NOT_THERE 0xffffffff /* this version of Python has no such member */
#define MISSES_SKIPPED 63 /* slow calls of a thread without a Python state before the next look */
#define CODE_HEAD 256
#define CODE_TEXT 256
#define CODE_TABLE 1024

#define PARKED_BYTES 8 /* from a parked thread's futex back to the address that it waits for */

/* Where an interpreter has what; from iotrace/pystack/offsets.py. */
struct python {
  u64 interpreters; /* address of the pointer to the newest one */
  u64 walk_over_ns;
  u64 gils[GILS]; /* the main interpreter's first */
  u64 runtime;     /* its address */
  u64 waiting_gil; /* the GIL that waiting_loop waits for */
  /* Sampled stacks of the holder of the GIL, for iteration holder_iteration of holder_loop. */
  u64 holder_iteration;
  u64 holder_stack;
  u64 holder_place;
  u32 holder_votes;
  u32 holder_stack_votes;
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
  u32 code_tags;  /* in a frame's pointer to its code: _PyStackRef, 3.14 on */
  u32 frame_copy; /* without a GIL: which copy of the code's instructions it runs */
  u32 gil_lookup;    /* GIL_* */
  u32 gil_requested; /* in a thread state: 1 while it waits for the GIL */
  u32 thread_size;
  u32 interpreter_size;
  u32 runtime_size;
  u32 base_frame_end; /* in a thread state: a frame before that is no function's */
  u32 narrow_instruction; /* 4 bytes, not an address */
  u32 code_file;
  u32 code_name;
  u32 code_linetable;
  u32 code_instructions;
  u32 code_copies;
  u32 gc_collecting; /* of an interpreter: 1 while its garbage collector runs */
  /* asyncio's tasks; running_task, in a thread state: NOT_THERE where tasks cannot be read. */
  u32 running_task;
  u32 task_name;
  u32 task_coro;
  u32 task_awaited_by;
  u32 task_awaited_by_is_set;
  u32 task_is_task;
  u32 coroutine_frame;
  u32 set_table;
  u32 set_mask;
  u32 waiting_loop; /* index + 1 of a stalled loop that waits for the GIL */
  u32 holder_loop;  /* index + 1 */
};

/* Processes whose Python is known. */
BPF_HASH(pythons, u32, struct python, MAX_TARGETS);

/* One distinct stack of one process, innermost frame first. Complete once it is in stack_index. */
struct stack {
  u32 seq;
  u32 pid;
  u32 tid; /* of the thread that was first seen there */
  u32 depth;
  u32 truncated;
  u32 described; /* what names its code objects is in codes, or will be soon */
  u64 runtime; /* address of _PyRuntime: a fork has it from its parent */
  u64 hash;
  u64 codes[MAX_DEPTH];
  u64 instructions[MAX_DEPTH];
};
BPF_F_TABLE("array", u32, struct stack, stacks, MAX_STACKS, MMAPABLE);
BPF_HASH(stack_index, u64, u32, MAX_STACKS);

/* What names a code object, as it was when first seen: the process may end before user space can
 * look. Complete once it is in code_index. */
struct code {
  u32 seq;
  u32 pid;
  u64 address;
  u64 file_address;
  u64 name_address;
  u64 table_address;
  u64 runtime;
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

/* Slow calls by (process, stack, call, kind). Written atomically: threads of a process share
 * them. */
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
  s32 fd; /* this and tid: of the latest call, or of one at the same time */
  u32 tid;
  u32 latency[LINE_BUCKETS];
};
BPF_HASH(lines, struct line_key, struct line, MAX_LINES);

/* The path in the longest call of a line, for calls that take one. Lines beyond LINE_PATHS have
 * none. Written by on_slow_call, read by user space. */
#define LINE_PATHS 1024
#define PATH_BYTES 192
struct line_path {
  u8 path[PATH_BYTES]; /* cut where it is longer, with a 0 at its end */
};
BPF_HASH(line_paths, struct line_key, struct line_path, LINE_PATHS);
/* Room for a path, this CPU's. */
BPF_PERCPU_ARRAY(path_rooms, struct line_path, 1);

/* Slow waits for locks by where the waiter was and where the thread that woke it. Written by
 * on_wake, atomically; read by user space. */
struct wake_key {
  u64 waiter; /* hashes of stacks; waker 0: not known */
  u64 waker;
  u32 pid;
  u32 kind;
};
struct wake {
  u64 calls;
  u64 wait_ns;
  u64 max_ns;
  u64 tid; /* of the latest waker */
};
BPF_HASH(wakes, struct wake_key, struct wake, MAX_LINES);

/* Stalls by (loop, cause, stack). Written by on_stall, read by user space. */
struct stall_key {
  u64 stack;
  u32 loop;
  u8 cause; /* CAUSE_* */
  u8 kind;
  u16 nr;
};
struct stall_cause {
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
BPF_HASH(stall_causes, struct stall_key, struct stall_cause, MAX_LINES);

/* Where threads were on a CPU, and where they took major page faults, by (process, stack). Written
 * atomically: threads of a process share them. */
struct sample_key {
  u64 stack; /* 0: no room is left for more stacks of samples */
  u32 pid;
  u32 of; /* SAMPLE_* */
};
struct sample {
  u64 count;
  u64 in_calls;
  u64 collecting;
  u32 tid; /* of the latest */
  u32 reserved;
};
BPF_HASH(samples, struct sample_key, struct sample, MAX_LINES);

/* Samples of what stalls a loop, outside of calls: the machine code that ran. */
#define CODE_PAGE_BITS 12
struct page_key {
  u64 stack;
  u64 page; /* address >> CODE_PAGE_BITS */
  u32 pid;
  u32 reserved;
};
BPF_HASH(stall_code, struct page_key, u64, MAX_LINES);

#define SET_ENTRIES 16 /* of a set of awaiters that are looked at */
#define FUTURES_BETWEEN 4
#define MAX_TASK_NOTES (MAX_LINES / 8)
#define LOOP_TASK_OF_CALL 0
#define LOOP_TASK_OF_SAMPLE 1

/* The asyncio task that ran in the longest call, stall or exchange of a kind, as raw memory. */
struct task_note {
  u64 longest_ns; /* of that */
  u64 chain;      /* hash of a stack: where the tasks that await it do so; 0: there are none */
  u64 iteration;  /* of the loop, in loop_tasks */
  u32 depth;      /* names that are told */
  u32 several;    /* one of the tasks is awaited by several, of which one is told */
  u32 more;       /* the last one is awaited in turn */
  u32 reserved;
  u8 names[TASKS * TASK_NAME_BYTES]; /* of str or int objects, the running task's first */
};
struct task_key {
  u64 stack; /* of a line or a stall, as in their keys; of an exchange the place in exemplars + 1 */
  u64 of_what; /* the rest of those keys */
  u64 of;      /* TASK_OF_* */
};
BPF_HASH(task_notes, struct task_key, struct task_note, MAX_TASK_NOTES);

/* By loop and LOOP_TASK_*: of its current iteration, in case it stalls. Written by the loop's own
 * thread, and by the clock's interrupt on it. */
BPF_ARRAY(loop_tasks, struct task_note, 2 * MAX_LOOPS);

/* Room to read tasks, as walk_rooms. */
struct task_room {
  struct task_note note;
  struct stack chain;
};
BPF_PERCPU_ARRAY(task_rooms, struct task_room, 2);

/* Room for a walk: [0] for one in sys_exit, [1] for one in the clock's interrupt, [2] for
 * one at a page fault. */
struct walk_room {
  u8 frame[128];
  struct stack stack;
  u64 place; /* a hash of the stack without the instruction of its innermost frame: a function */
};
BPF_PERCPU_ARRAY(walk_rooms, struct walk_room, 3);

#define WALKER_CALL 0
#define WALKER_STALL 1
#define WALKER_DESCRIBE 2
#define WALKER_WAKE 3
#define WALKER_TASK 4
#define WALKER_EXCHANGE_TASK 5
BPF_PROG_ARRAY(walkers, 6);
#endif
