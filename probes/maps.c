/* Every map, with who writes it, who reads it, who deletes from it.
 * MAX_* are chosen by user space before the load; nothing grows without bound.
 */
#include "records.h"
#include "tables.h"

/* bpf_probe_read_user and _kernel. At each call by those names bcc asks whether the kernel has them,
 * and reads all of the kernel's symbols for it. Any that can map arrays into memory has (of 5.5). */
static long (*read_user_memory)(void *to, u32 bytes, const void *from) =
    (void *)BPF_FUNC_probe_read_user;
static long (*read_kernel_memory)(void *to, u32 bytes, const void *from) =
    (void *)BPF_FUNC_probe_read_kernel;
static long (*read_kernel_text)(void *to, u32 bytes, const void *from) =
    (void *)BPF_FUNC_probe_read_kernel_str;

/* A program for the kernel. They are compiled in parts, all at the same time, of which each gets all
 * sources: a program of another part is no more than an unused function there (LINKAGE_*: static).
 */
#define PROGRAM(name) LINKAGE_##name int name(struct bpf_raw_tracepoint_args *ctx)

#define MMAPABLE 1024 /* BPF_F_MMAPABLE: user space reads totals without a system call */

/* Processes to follow. Written and deleted by user space and by task_newtask (children);
 * read by task_newtask for threads that user space has not entered yet. Value: follow children. */
BPF_HASH(targets, u32, u32, MAX_TARGETS);

/* tid -> slot in threads. The filter of every probe: a tid that is not here is not traced.
 * Written by task_newtask, exec and user space (at attach); deleted at the thread's last switch. */
BPF_HASH(thread_index, u32, u32, MAX_THREADS);

/* The same, quicker, by the low bits of the tid: 0: no thread with these bits is traced; a
 * slot + 1: only that thread; HINT_SHARED: several, look into thread_index. Spares every thread
 * of the host a hash look-up in every call. Written as thread_index is; 0 again at the end. */
BPF_ARRAY(thread_hints, u64, THREAD_HINTS);

/* The traced thread that made the last system call on this CPU. Mostly it makes the next one, too,
 * and need not be looked for. Written and read by sys_enter and sys_exit; void where its thread's
 * record has other registers (0 once it has ended: a new thread may get its kernel stack). */
struct caller {
  u64 regs;
  u32 slot;
  u32 unused;
};
BPF_PERCPU_ARRAY(last_caller, struct caller, 1);

/* Records by slot. Written by the probes, read (and cleared for reuse) by user space. */
BPF_F_TABLE("array", u32, struct thread, threads, MAX_THREADS, MMAPABLE);
BPF_F_TABLE("array", u32, struct call, calls, MAX_CALLS, MMAPABLE);
BPF_F_TABLE("array", u32, struct descriptor, descriptors, MAX_DESCRIPTORS, MMAPABLE);
BPF_F_TABLE("array", u32, struct loop, loops, MAX_LOOPS, MMAPABLE);

/* (slot, kind, call) -> index in calls; (slot, kind, fd) -> index in descriptors.
 * Written by the probes on a cache miss; deleted by user space when a slot is recycled. */
BPF_HASH(call_index, u64, u32, MAX_CALLS);
BPF_HASH(descriptor_index, u64, u32, MAX_DESCRIPTORS);

/* (slot, fd) hashed -> index in descriptors + 1: found without a look at the object. What stands
 * there may be of another descriptor, or void by now: see descriptor_at. */
BPF_ARRAY(descriptor_places, u32, DESCRIPTOR_PLACES);

/* Indices that user space has cleared for reuse; popped by the probes when a table is used up. */
BPF_QUEUE(free_threads, u32, MAX_THREADS);
BPF_QUEUE(free_calls, u32, MAX_CALLS);
BPF_QUEUE(free_descriptors, u32, MAX_DESCRIPTORS);
BPF_QUEUE(free_loops, u32, MAX_LOOPS);

/* COUNTER_*: next unused index of each table, losses, ended threads. Written by probes. */
BPF_F_TABLE("array", u32, u64, counters, COUNTERS, MMAPABLE);

/* System call number -> what to do with it. Written by user space before the probes attach. */
BPF_ARRAY(call_specs, struct call_spec, MAX_SYSCALLS);

/* Errors other than EAGAIN: (slot, call, kind, errno) -> count. Written by sys_exit, read by user space. */
struct error_key {
  u32 slot;
  u16 nr;
  u16 error;
  u32 kind;
};
BPF_HASH(errors, struct error_key, u64, MAX_ERRORS);

/* Bumped when a descriptor number is closed or replaced: (pid, fd) hashed. A collision only
 * costs a second look at the descriptor. */
BPF_ARRAY(generations, u32, GENERATIONS);

/* Sockets of traced descriptors: since when data lies there unread. Entered when a descriptor
 * is resolved, stamped by sk_data_ready, cleared by the read that takes the data. LRU: a socket
 * may outlive every descriptor we know of. */
struct readiness {
  u64 inode;    /* of the socket: addresses are used again. READINESS_PENDING and its ports
                 * while it waits to be accepted, for it has no inode then */
  u64 since_ns; /* first arrival not read yet, 0: nothing */
  u64 last_ns;  /* latest arrival */
};
BPF_TABLE("lru_hash", u64, struct readiness, readiness, MAX_SOCKETS);

/* Not 0: readiness may have an entry of a socket with this hash. Spares the sockets of the whole host
 * a look-up in it. Written as readiness is; never cleared: addresses of sockets come again. */
#define WATCHED_MARKS 64
#define WATCHED_BITS 10
struct marks {
  u8 marks[WATCHED_MARKS]; /* bytes, not bits: written on any CPU */
};
BPF_ARRAY(watched, struct marks, 1 << WATCHED_BITS);

/* Ports that traced threads accept on: data may arrive before the connection is accepted.
 * Written by accept's sys_enter, read by sk_data_ready. */
BPF_HASH(listening_ports, u32, u32, MAX_PORTS);
