/* The records that the probes keep and user space reads. User space takes their layout from
 * bcc's description of these very structs, so they stand here and nowhere else. Flat on purpose.
 *
 * A record of a thread (and of its calls, descriptors, loops) is written only on the CPU that
 * runs that thread or switches it in or out, one at a time: no atomics, no per-CPU copies.
 * seq is odd while a record changes (a seqlock): a reader copies and tries again.
 * WAIT_CLASSES, STATE_*, WAIT_*, KIND_* and CALL_* come from iotrace/engine/constants.py by -D.
 */
#ifndef IOTRACE_RECORDS_H
#define IOTRACE_RECORDS_H
#include "histogram.h"

#define CALL_CACHE 16 /* power of two: (call, kind) pairs, direct-mapped */
#define LOOP_KINDS 8  /* select, pselect6, poll, ppoll, epoll_wait, _pwait, _pwait2; 0 is none */

struct thread {
  /* What every call reads or writes, in three cache lines. */
  u32 seq;
  u32 pid;
  u64 regs;     /* where its registers are saved in system calls, 0: it has made none */
  u64 since_ns; /* everything before is charged */
  u8 state;
  u8 resume_state; /* the state it goes back to when switched in */
  u8 sleep_class;  /* why it sleeps, while STATE_SLEEP */
  u8 in_call;
  u8 io_worker;
  u8 call_zero_timeout;
  u16 call_restarts; /* where the kernel goes on with an interrupted call, it is call_nr */
  /* Of the call in progress; they begin as those of struct call_spec, see begin_call. */
  u8 call_class;
  u8 call_kind;
  u8 call_loop;
  u8 call_polls; /* a poll of one descriptor in the middle of an event loop's iteration */
  u8 call_peeks;
  u8 from_proc; /* entered by user space in the middle of a call */
  u16 call_flags; /* CALL_* bits */
  u32 call_nr; /* CALL_OTHER for calls that are not listed */
  s32 call_fd;
  u32 call_descriptor; /* index + 1 */
  u32 current_loop;    /* index + 1 of the loop it returned from last */
  u64 call_entry_ns;
  /* The second line. */
  u64 call_size; /* bytes asked for, or entries of a message vector */
  u64 call_wait_ns;
  u64 call_runq_ns;
  u64 call_copy_ns;
  u64 call_kernel_ns;
  u64 call_kernel_at_wake_ns; /* what call_kernel_ns was when it was last woken */
  u64 call_first_copy_ns;
  u64 user_ns;
  /* The third. walk_over_ns is written by user space, too (see python.c). */
  u64 kernel_ns;
  u64 copy_ns;
  u64 syscalls;
  u64 tax_user_ns;  /* user_ns at the end of tax_call */
  u64 walk_over_ns; /* walk the stack of calls that took this long + 1; 0: never */
  u32 tid;
  u32 bucket;       /* see bucket_of */
  u32 tax_call;     /* index + 1 of the record of its last call but the waits for the GIL */
  u32 last_descriptor; /* index + 1 of the one that was looked up last */
  u32 accepted_fd;  /* + 1: last connection accepted since its multiplexer last returned, 0: none */
  u32 moved_data;   /* calls that moved bytes of sockets; as the next two, it only ever grows */

  u32 call_cache[2 * CALL_CACHE]; /* index + 1, and what of */

  /* Some calls. stalled_ns: the iteration that has just ended took too long. gil is written by user space, too. */
  u32 moved_other; /* ... of pipes, eventfds, files */
  u32 accepted;    /* connections */
  u64 stalled_ns;
  u64 gil;         /* address, 0: not known */
  u64 more_gils;   /* its process has several interpreters, each with its own */
  u32 programs; /* how often all that was known of its descriptors became void */
  u32 unused;
  u64 call_buffer;
  u64 call_nfds;
  u32 loops[LOOP_KINDS]; /* index + 1 */

  /* The scheduler. */
  u64 woken_ns; /* last wake-up; written by the waker, on any CPU */
  u64 slept_ns; /* without wake-ups: its last sleep, of which a part was in a run queue */
  u64 switched_in_ns; /* when it last got a CPU */
  u64 slices; /* how often the scheduler had given it a CPU when it last left one, */
  u64 run_delay_ns; /* and its own sum of the thread's run-queue time */
  u64 runq_ns;
  u64 unaccounted_ns;
  u64 wait_ns[WAIT_CLASSES];
  u64 voluntary;
  u64 involuntary;

  /* Once in a while. */
  u64 started_ns;
  u64 ended_ns; /* 0 while it lives */
  char name[16];
  u32 parent_pid;  /* the forking process, 0 for a thread or an unknown parent */
  u32 found;       /* it ran before it was followed: entered by user space */
  u32 proc_number; /* from_proc: the call's number, listed or not */
  u32 reserved;
  u64 python_state; /* its thread state when last looked for, 0: it had none */
  u64 python_interpreter;
  u64 python_misses;
  u64 call_ended_ns;
  u64 padding[2]; /* to a multiple of cache lines */
};

/* One system call of one thread on one kind of descriptor. */
struct call {
  u32 seq;
  u32 slot;
  u32 nr;
  u32 kind;
  u64 upto; /* so many calls its thread had made when one was last added here */
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
  u64 gil_waits; /* after it, to come back to Python */
  u64 gil_ns;
  u64 sleeps; /* without probes on system calls: times that a thread slept in it; then max_ns */
  u32 latency[HISTOGRAM_BUCKETS]; /* and this are of a sleep with the run queue after it */
  u32 wait[PHASE_BUCKETS]; /* of the calls that slept at all */
  u32 copy[PHASE_BUCKETS]; /* of those that copied */
};

/* One descriptor number of one kind, as used by one thread. */
struct descriptor {
  /* What every call reads or writes, in two cache lines. */
  u32 seq;
  u32 slot;
  s32 fd;
  u32 kind;
  u32 generation; /* of the descriptor number when it was resolved */
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
  u64 polled_ns; /* asleep in a poll of it alone */
  u32 family;
  u32 local_port;
  u32 peer_port;
  u32 reserved;
  u8 local[16];
  u8 peer[16];
  u64 padding[4]; /* to a multiple of cache lines */
};

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
  u64 data_iterations; /* after which data was moved and nothing accepted */
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
  /* The iteration since the last return: where the totals stood, what it has waited for. */
  u64 cpu_at_return_ns;
  u64 runq_at_return_ns;
  u64 iteration_call_ns; /* its longest wait in one call, and which call that was */
  u32 iteration_call_nr;
  s32 iteration_call_fd;
  u32 iteration_call_kind;
  u32 iteration_waited;
  u64 iteration_wait_ns[WAIT_CLASSES];
  /* All iterations longer than STALL_NS together, and the longest wait in one call in them. */
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
  /* Python stacks of this iteration: sampled on the CPU, sampled with the GIL that the loop waits
   * for, at the exit of the call that waited longest (blamed_ns). */
  u64 blamed_cpu;
  u64 blamed_holder;
  u64 blamed_call;
  u64 blamed_ns;
  u64 blamed_place;
  u64 blamed_votes;
  u32 busy[HISTOGRAM_BUCKETS];
};

/* Asynchronous operations of one process and one io_uring opcode. */
struct operation {
  u64 completed;
  u64 errors;
  u64 bytes;
  u64 max_ns;
  u32 submit_to_complete[HISTOGRAM_BUCKETS];
};

/* What the kernel should do with a system call; filled from iotrace/engine/syscalls.py. */
struct call_spec {
  /* What a thread's record says at the start of such a call, in the same order. */
  u8 wait_class; /* WAIT_BY_KIND: recv, send or file, as the descriptor is */
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
} __attribute__((aligned(8)));

#define BEGINNING_BYTES 8
_Static_assert(__builtin_offsetof(struct thread, call_flags) + sizeof(u16) ==
                   __builtin_offsetof(struct thread, call_class) + BEGINNING_BYTES,
               "a call begins as its spec says");
_Static_assert(__builtin_offsetof(struct call_spec, flags) + sizeof(u16) == BEGINNING_BYTES,
               "a call begins as its spec says");

#endif
