/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps that more than one source uses. What each holds, who writes, reads and deletes it is
 * said in README.md, Maps. MAX_* are chosen by user space before the load: nothing grows
 * without bound.
 */
#include "exchanges.h"
#include "records.h"
#include "tables.h"

/* bpf_probe_read_user and others, under names of our own: at each call by the usual names bcc
 * reads all of the kernel's symbols to see whether the kernel has them (it has, if it can map
 * arrays: Linux 5.5). */
static long (*read_user_memory)(void *to, u32 bytes, const void *from) =
    (void *)BPF_FUNC_probe_read_user;
static long (*read_kernel_memory)(void *to, u32 bytes, const void *from) =
    (void *)BPF_FUNC_probe_read_kernel;
static long (*read_kernel_text)(void *to, u32 bytes, const void *from) =
    (void *)BPF_FUNC_probe_read_kernel_str;

/* A program for the kernel. Programs are compiled in parts, in parallel. Each part is given all
 * sources; programs of other parts are unused functions there (LINKAGE_*: static). */
#define PROGRAM(name) LINKAGE_##name int name(struct bpf_raw_tracepoint_args *ctx)

#define MMAPABLE 1024 /* BPF_F_MMAPABLE, include/uapi/linux/bpf.h */

/* pid -> whether to follow its children, too. */
BPF_HASH(targets, u32, u32, MAX_TARGETS);

/* tid -> slot in threads, for tracked threads. */
BPF_HASH(thread_index, u32, u32, MAX_THREADS);

/* The same by the low bits of the tid. 0: no thread with these bits is tracked; a slot + 1: only
 * that one; HINT_SHARED: several, see thread_index. Saves all other threads of the host a hash
 * look-up in every call. */
BPF_ARRAY(thread_hints, u64, THREAD_HINTS);

/* The tracked thread that made the last system call on this CPU. Void where the record of that
 * slot has other registers: 0 once it has ended, because a new thread may get its kernel stack. */
struct caller {
  u64 regs;
  u32 slot;
  u32 unused;
};
BPF_PERCPU_ARRAY(last_caller, struct caller, 1);

/* Records, by slot or index. */
BPF_F_TABLE("array", u32, struct thread, threads, MAX_THREADS, MMAPABLE);
BPF_F_TABLE("array", u32, struct call, calls, MAX_CALLS, MMAPABLE);
BPF_F_TABLE("array", u32, struct descriptor, descriptors, MAX_DESCRIPTORS, MMAPABLE);
BPF_F_TABLE("array", u32, struct loop, loops, MAX_LOOPS, MMAPABLE);

/* (slot, kind, call) -> index in calls; (slot, kind, fd) -> index in descriptors. */
BPF_HASH(call_index, u64, u32, MAX_CALLS);
BPF_HASH(descriptor_index, u64, u32, MAX_DESCRIPTORS);

/* (slot, fd) hashed -> index in descriptors + 1, to find a record without a look into the fd
 * table. The entry may be of another descriptor, or void by now: see descriptor_at. */
BPF_ARRAY(descriptor_places, u32, DESCRIPTOR_PLACES);

/* Indices that user space has cleared for reuse. */
BPF_QUEUE(free_threads, u32, MAX_THREADS);
BPF_QUEUE(free_calls, u32, MAX_CALLS);
BPF_QUEUE(free_descriptors, u32, MAX_DESCRIPTORS);
BPF_QUEUE(free_loops, u32, MAX_LOOPS);

/* COUNTER_*: next unused index of each table, losses, ended threads. */
BPF_F_TABLE("array", u32, u64, counters, COUNTERS, MMAPABLE);

/* System call number -> what to do with it. */
BPF_ARRAY(call_specs, struct call_spec, MAX_SYSCALLS);

/* Errors other than EAGAIN: (slot, call, kind, errno) -> count. */
struct error_key {
  u32 slot;
  u16 nr;
  u16 error;
  u32 kind;
};
BPF_HASH(errors, struct error_key, u64, MAX_ERRORS);

/* (pid, fd) hashed -> how often such a descriptor number was closed or replaced. A collision costs
 * one more look into the fd table. */
BPF_ARRAY(generations, u32, GENERATIONS);

/* Sockets of traced descriptors: since when data has been lying there unread, and where the exchange
 * on the connection is. LRU: a socket may outlive every descriptor that is known. */
struct readiness {
  u64 inode;    /* of the socket, because addresses are reused. READINESS_PENDING and the ports
                 * before the accept, when it has no inode */
  u64 since_ns; /* first arrival not read yet, 0: nothing */
  u64 last_ns;  /* latest arrival */
  u32 exchange; /* index + 1 in exchanges, 0: none */
  u32 role;     /* ROLE_* */
  u32 state;    /* TCP_*, the latest that a copy of on_set_state has seen (preemption.c) */
  u32 reserved;
};
BPF_TABLE("lru_hash", u64, struct readiness, readiness, MAX_SOCKETS);

/* Entries of readiness by the hash of their socket. 0 saves all other sockets of the host a hash look-up.
 * Those that the LRU map has thrown out are still counted. */
#define WATCHED_MARKS 64
#define WATCHED_BITS 10
struct marks {
  u32 marks[WATCHED_MARKS]; /* atomic */
};
BPF_ARRAY(watched, struct marks, 1 << WATCHED_BITS);

/* TCP ports that are listened on: the slot + 1 of the traced thread that accepted last, NOBODY (yet),
 * OTHERS (only processes that are not traced), or 0. Data may arrive before the accept. */
#define NOBODY 0xffffffff
#define OTHERS 0xfffffffe
BPF_ARRAY(listening_ports, u32, TCP_PORTS);

/* The same for unix sockets, by unix_listener(). */
BPF_HASH(unix_listeners, u32, u32, MAX_PORTS);

/* The exchange in progress on each connection. A record whose socket is no longer known is used
 * again, see new_exchange(). */
BPF_F_TABLE("array", u32, struct exchange, exchanges, MAX_EXCHANGES, MMAPABLE);

/* Exchanges: (process, role, with whom) -> index in endpoints. */
struct endpoint_key {
  u32 pid;
  u32 role;
  u32 kind;
  u32 port;
  u32 family;
  u8 address[16];
};
BPF_HASH(endpoint_index, struct endpoint_key, u32, MAX_ENDPOINTS);
BPF_F_TABLE("array", u32, struct endpoint, endpoints, MAX_ENDPOINTS, MMAPABLE);
BPF_F_TABLE("array", u32, struct tier, tiers, MAX_TIERS, MMAPABLE);
BPF_F_TABLE("array", u32, struct exemplar, exemplars, MAX_ENDPOINTS * EXEMPLARS, MMAPABLE);
BPF_QUEUE(free_endpoints, u32, MAX_ENDPOINTS);
BPF_QUEUE(free_tiers, u32, MAX_TIERS);

/* Programs that sys_enter and sys_exit go on with. */
#define EXIT_EXCHANGE 0
#define CALL_DESCRIPTOR 1
#define CALL_EXIT 2
BPF_PROG_ARRAY(exits, 3);
