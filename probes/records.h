/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The records that the probes keep and user space reads. User space takes their layout from bcc's
 * description of these structs, so the layout is written down here only. Members are flat: bcc
 * describes no nested structs.
 *
 * A record of a thread (and of its calls, descriptors and loops) is written only by probes that
 * run for that thread: on the CPU that runs it, or that switches it in or out. Only one of them
 * runs at a time, so updates need neither atomic operations nor per-CPU copies. Members with
 * several writers say so. Every update is inside record_begin() and record_end() (ledger.c), which
 * make seq odd meanwhile: user space copies a record until seq was even and unchanged (a sequence
 * counter).
 *
 * WAIT_CLASSES, STATE_*, WAIT_*, KIND_* and CALL_* come from iotrace/engine/constants.py by -D.
 */
#ifndef IOTRACE_RECORDS_H
#define IOTRACE_RECORDS_H
#include "exchanges.h"
#include "histogram.h"

#define CALL_CACHE 16 /* entries of (call, kind), direct-mapped; a power of two */
/* Events that a spare program may have to handle (preemption.c). */
#define DONE_EXIT 0
#define DONE_COPY 1
#define DONE_RECEIVED 2
#define DONE_SENT 3
#define DONE_SIGNAL 4
#define DONE_SUBMIT 5
#define DONE_EXEC 6
#define DONE_MARKS 8

/* from_proc: user space found the thread in the middle of this call, which is over by now (MET). */
#define FROM_PROC 1
#define FROM_PROC_MET 2

#define SLOW_CALLS 8  /* a power of two */
#define SLEEPS_KEPT 4 /* the same */
#define LOOP_KINDS 8  /* select, pselect6, poll, ppoll, epoll_wait, _pwait, _pwait2; 0: none */

struct thread {
  /* Read or written by every call, in three cache lines. The first alone is what sk_data_ready reads
   * on whatever CPU while the thread runs (see date_sums()). */
  u32 seq;
  u32 pid;
  u64 regs;     /* address of the registers saved by system calls; 0: no call yet */
  u64 since_ns; /* all time before this is charged */
  u8 state;
  u8 resume_state; /* state to return to when switched in */
  u8 sleep_class;  /* wait reason while in STATE_SLEEP */
  u8 in_call;
  u8 io_worker;
  u8 call_zero_timeout;
  u8 call_restarts; /* restart_syscall(2) would continue call_nr */
  u8 call_settled;  /* the exchange that it has moved data of has gone on already */
  u64 user_ns;
  u64 kernel_ns;
  u64 copy_ns;
  u32 tid;
  u32 charges; /* of any other sum than these three; wraps around */
  /* The second line: the call in progress. These members are in the order of struct call_spec, see
   * begin_call(). */
  u8 call_class;
  u8 call_kind;
  u8 call_loop;
  u8 call_polls; /* a poll of one descriptor inside an iteration of an event loop */
  u8 call_peeks;
  u8 from_proc; /* FROM_PROC_* */
  u16 call_flags; /* CALL_* bits */
  u32 call_nr; /* CALL_OTHER for calls that are not listed */
  s32 call_fd;
  u32 call_descriptor; /* index + 1 */
  u32 current_loop;    /* index + 1 of the multiplexer that returned last */
  u64 call_entry_ns;
  u64 call_size; /* bytes asked for, or entries of a message vector */
  u64 call_wait_ns;
  u64 call_runq_ns;
  u64 call_copy_ns;
  /* The third line. walk_over_ns is written by user space, too (see python.c). */
  u64 call_kernel_ns;
  u64 call_kernel_at_wake_ns; /* call_kernel_ns at the last wake-up */
  u64 call_first_copy_ns;
  u64 syscalls;
  u64 tax_user_ns;  /* user_ns at the end of tax_call */
  u64 walk_over_ns; /* walk the stack of calls that took this long + 1; 0: never */
  u32 scratch;      /* see unbounded() */
  u32 tax_call;     /* index + 1 of the record of the last call that was no wait for the GIL */
  u32 last_descriptor; /* index + 1 of the descriptor that was looked up last */
  u32 accepted_fd;  /* + 1: last connection accepted since the multiplexer returned; 0: none */

  u32 moved_data;  /* calls that moved bytes of sockets; this and the next only grow */
  u32 moved_other; /* calls that moved bytes of pipes, eventfds, files */
  u32 taken;       /* requests that it has read; also only grows */
  u32 answered;    /* of those, that it has answered */
  u32 call_cache[2 * CALL_CACHE]; /* index + 1, and the (call, kind) it belongs to */

  /* Some calls. gil is written by user space, too. */
  u32 accepted;    /* connections; only grows */
  u32 given;       /* of its requests, answered by others, or over without an answer; atomic */
  u64 stalled_ns;  /* length of the loop iteration that has just ended, if it was a stall */
  u64 gil;         /* address, 0: not known */
  u64 gil_lookup;  /* GIL_* in python.c: how a wait for the GIL is known */
  u32 exec_generation; /* grows when every descriptor of the process may have changed */
  u32 renamed; /* another thread has set a new name; written by that thread, see lifecycle.c */
  u64 call_buffer;
  u64 call_nfds;
  u32 loops[LOOP_KINDS]; /* index + 1 */

  /* The scheduler. */
  u64 woken_ns; /* last wake-up; written by the waker, on any CPU */
  u64 waker; /* tid of the thread that was current at that wake-up; written by it */
  u64 switched_in_ns; /* when the thread last got a CPU */
  u64 slices; /* sched_info.pcount and sched_info.run_delay when the thread last left a CPU */
  u64 run_delay_ns;
  u64 runq_ns;
  u64 unaccounted_ns;
  u64 wait_ns[WAIT_CLASSES];
  u64 idle_ns[WAIT_CLASSES]; /* of those, without a request in hand */
  u64 wanted_ns; /* first arrival of a request while it sleeps without one in hand; by the softirq */
  u32 untold;    /* it answers requests that others have read, or several at once */
  u32 pooled;    /* requests are handed over to it */
  u64 voluntary;
  u64 involuntary;

  /* Rarely used. */
  u64 started_ns;
  u64 ended_ns; /* 0 while the thread lives */
  char name[16];
  u32 parent_pid;  /* the forking process; 0 for a thread or an unknown parent */
  u32 found;       /* the thread ran before it was tracked */
  u32 proc_number; /* from_proc: the call's number, listed or not */
  u32 call_repaired; /* opened at a sleep: see repair.c */
  u64 python_state; /* its PyThreadState when last looked for, 0: none */
  u64 python_interpreter;
  u32 python_misses;
  u32 kept_exemplar; /* place + 1 of the one that current's call has left in exemplars */
  u64 call_ended_ns;
  u64 slept_ns; /* without wake-ups: the last sleep, part of which was in a run queue */
  u64 free_ns; /* when it was last free for a request that others hand over, 0: never; and its sums then */
  u64 free_at[SUMS];
  /* The latest calls of which the stack was walked, in turns. */
  u64 slow_stacks[SLOW_CALLS];
  u64 slow_woken_ns[SLOW_CALLS]; /* about when its wait ended */
  u64 slow_wait_ns[SLOW_CALLS];
  u32 slow_nrs[SLOW_CALLS];
  u8 slow_kinds[SLOW_CALLS];
  u32 slow_calls;
  /* Sockets detail: the call on a socket that has ended last. call_* are those of a sleep there. */
  u32 moved_descriptor; /* index + 1 */
  s32 moved_fd;
  u32 moved_flags;     /* CALL_* bits */
  u64 moved_after_ns;  /* from there on current was on a CPU, in the call at the end */
  u8 done[DONE_MARKS]; /* see already_done() */
  /* Without wake-ups: see keep_sleep(). */
  u64 sleeps_ns[SLEEPS_KEPT];
  u64 slept_idle_ns; /* of slept_ns, idle */
  u32 sleeps;        /* also those of which all was added up; wraps around */
  u32 new_stack; /* index + 1 of a stack that is to be described: slow_calls.c */
  u64 moved_copy_ns;
} LINES_OF_ITS_OWN;

/* One system call of one thread on one kind of descriptor. */
struct call {
  u32 seq;
  u32 slot;
  u32 nr;
  u32 kind;
  u64 upto; /* thread.syscalls when something was last added here */
  u64 calls;
  u64 errors;
  u64 eagain;
  u64 bytes;
  u64 wait_ns;
  u64 runq_ns;
  u64 copy_ns;
  u64 kernel_ns;
  u64 max_ns;
  u64 estimated; /* calls whose copy was estimated */
  u64 filled;    /* reads that returned as many bytes as they asked for */
  u64 gil_waits; /* waits for the GIL after this call, to return to Python */
  u64 gil_ns;
  u64 sleeps; /* without probes on system calls: sleeps in this call. max_ns and latency are then */
  u32 latency[HISTOGRAM_BUCKETS]; /* those of a sleep and the run queue after it */
  u32 wait[PHASE_BUCKETS]; /* of calls that slept */
  u32 copy[PHASE_BUCKETS]; /* of calls that copied */
};

/* One descriptor number of one kind, as used by one thread. */
struct descriptor {
  /* Read or written by every call, in two cache lines. */
  u32 seq;
  u32 slot;
  s32 fd;
  u32 kind;
  u32 generation; /* of the descriptor number when it was looked up in the fd table */
  u32 opened;     /* different objects that this number has been */
  u32 addressed;
  u32 open_flags;
  u64 sock;
  u64 upto; /* as in struct call */
  u64 calls;
  u64 bytes_in;
  /* The second line. */
  u64 bytes_out;
  u64 wait_ns;
  u64 copy_ns;
  u64 eagain;
  u64 estimated;
  u64 pickups;
  u64 pickup_max_ns;
  u64 inode;

  u32 pickup[PICKUP_BUCKETS];
  u64 sleeps;    /* as in struct call */
  u64 polled_ns; /* asleep in a poll of this descriptor alone */
  u32 family;
  u32 local_port;
  u32 peer_port;
  u32 exchange; /* index + 1; may be of another socket by now */
  u8 local[16];
  u8 peer[16];
} LINES_OF_ITS_OWN;

/* One thread's use of one multiplexer. */
struct loop {
  u32 seq;
  u32 slot;
  u32 nr;
  u32 epoll_fd;
  u64 upto;       /* as in struct call */
  u64 iterations; /* returns without an error */
  u64 sleeps;     /* as in struct call */
  u64 empty;
  u64 timeouts;
  u64 zero_timeout;
  u64 unserved;
  u64 data_iterations; /* iterations in which data was moved and nothing accepted */
  u64 eager_reads;     /* of a connection that was accepted in the same iteration */
  u64 ready_sum;
  u64 ready_max;
  u64 nfds_max;
  u64 watched; /* descriptors in the sets, sampled */
  u64 wait_ns;
  u64 busy_sum_ns;
  u64 busy_max_ns;
  u64 returned_ns; /* 0: not between a return and the next call */
  u64 last_ready;
  /* The iteration since the last return: totals at that return, and waits since. */
  u64 cpu_at_return_ns;
  u64 runq_at_return_ns;
  u64 iteration_call_ns; /* the longest wait in one call, and that call */
  u32 iteration_call_nr;
  s32 iteration_call_fd;
  u32 iteration_call_kind;
  u32 iteration_waited;
  u64 iteration_wait_ns[WAIT_CLASSES];
  /* Sums of all iterations longer than STALL_NS, and the longest wait in one call in them. */
  u64 stalls;
  u64 stall_ns;
  u64 stall_cpu_ns;
  u64 stall_runq_ns;
  u64 stall_call_ns;
  u32 stall_call_nr;
  s32 stall_call_fd;
  u32 stall_call_kind;
  u32 accepted_at_return;
  u32 data_at_return;
  u32 other_at_return;
  u64 stall_wait_ns[WAIT_CLASSES];
  /* Python stacks of this iteration: the one sampled most while the loop's own thread ran (a
   * majority vote, see votes.c), and the one at the exit of the call with the longest wait. */
  u64 cpu_stack;
  u64 cpu_place;
  u32 cpu_votes;
  u32 cpu_stack_votes;
  u64 call_stack;
  u64 call_stack_ns; /* how long that call waited */
  u32 iteration_samples; /* of its own thread, once the iteration is long */
  u32 iteration_collecting; /* of those, while the garbage collector ran */
  u32 busy[HISTOGRAM_BUCKETS];
};

/* Asynchronous operations of one process and one io_uring opcode. Written atomically, on any
 * CPU. */
struct operation {
  u64 completed;
  u64 errors;
  u64 bytes;
  u64 max_ns;
  u32 submit_to_complete[HISTOGRAM_BUCKETS];
};

/* What to do with a system call; filled from iotrace/engine/syscalls.py. */
struct call_spec {
  /* The first members of a call in progress, in the order of struct thread. */
  u8 wait_class; /* WAIT_BY_KIND: recv, send or file, depending on the descriptor */
  u8 kind;
  u8 loop; /* 1 to 7 for a multiplexer */
  u8 zeros[3];
  u16 flags; /* CALL_* bits */

  u8 listed;
  u8 fd_arg; /* word of the saved registers (ARGUMENT_*) or NO_ARGUMENT */
  u8 size_arg;
  u8 timeout_arg;
  u8 nfds_arg;
  u8 buffer_arg;
  u8 msg_flags_arg;
  u8 path_arg;
} __attribute__((aligned(8)));

/* Not in a map: what is to be added to the records of a call and of its descriptor (accounting.c).
 * Members that a detail does not know stay 0. */
struct call_sums {
  u32 nr;
  u32 kind;
  u32 calls;
  u32 sleeps;
  s64 ret;
  u64 bytes;
  u64 asked_bytes;
  u64 wait_ns;
  u64 runq_ns;
  u64 copy_ns;
  u64 kernel_ns;
  u64 total_ns;      /* its latency, in light detail of the sleep; only where timed */
  u64 taken_ns;      /* when the data was taken off its socket */
  u32 estimated;     /* copy_ns is an estimate */
  u16 flags;         /* CALL_* */
  u8 peeks;
  u8 timed;
};

_Static_assert(sizeof(struct thread) % CACHE_LINE_BYTES == 0, "lines of one thread each");
_Static_assert(sizeof(struct exchange) % CACHE_LINE_BYTES == 0, "lines of one exchange each");
_Static_assert(sizeof(struct endpoint) % CACHE_LINE_BYTES == 0, "lines of one endpoint each");
_Static_assert(sizeof(struct tier) % CACHE_LINE_BYTES == 0, "lines of one tier each");
_Static_assert(sizeof(struct descriptor) % CACHE_LINE_BYTES == 0, "lines of one descriptor each");
_Static_assert(__builtin_offsetof(struct thread, call_class) == CACHE_LINE_BYTES,
               "what sk_data_ready reads is in the first line");
_Static_assert(__builtin_offsetof(struct exchange, of) == CACHE_LINE_BYTES,
               "what sk_data_ready writes is in the first line");
#define BEGINNING_BYTES 8
_Static_assert(__builtin_offsetof(struct thread, call_flags) + sizeof(u16) ==
                   __builtin_offsetof(struct thread, call_class) + BEGINNING_BYTES,
               "the first members of a call are those of its spec");
_Static_assert(__builtin_offsetof(struct call_spec, flags) + sizeof(u16) == BEGINNING_BYTES,
               "the first members of a call are those of its spec");

#endif
