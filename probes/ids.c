/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Process and thread ids as the tracer's /proc numbers them. On the host these are the kernel's
 * own; in a container each is looked up in the PID namespace, and a task outside of that namespace
 * has the id 0, which no traced thread has.
 */
#if PID_NAMESPACE
#define UPID_BYTES 16 /* sizeof(struct upid), include/linux/pid.h */
#define MAX_LEVELS 8  /* nested namespaces that are looked at; the kernel allows 32 */

struct own_namespace {
  u64 inode;   /* written by user space before the probes attach */
  u64 address; /* of its struct pid_namespace; 0: not found yet */
  u64 level;
};
BPF_ARRAY(own_namespace, struct own_namespace, 1);

/* The kernel's tid -> ours, of threads that give up their number before their last event. LRU: an
 * execve may fail, and then the entry stays. */
BPF_TABLE("lru_hash", u32, u32, remembered_tids, 1024);

/* Look for our namespace among those in which a task has a number (pid: its struct pid). */
static __always_inline void find_namespace(struct own_namespace *own, u64 pid)
{
  u32 levels = read_u32(pid + OFFSET_PID_LEVEL);
  for (u64 level = 1; level < MAX_LEVELS; level++) {
    u64 address;
    if (level > levels)
      return;
    address = read_u64(pid + OFFSET_PID_NUMBERS + level * UPID_BYTES + OFFSET_UPID_NS);
    if (read_u32(address + OFFSET_NAMESPACE_INODE) == own->inode) {
      own->level = level;
      own->address = address;
      return;
    }
  }
}

static __always_inline u32 tid_of(u64 task)
{
  u32 zero = 0, tid, *remembered;
  u64 pid = read_u64(task + OFFSET_TASK_THREAD_PID), number;
  struct own_namespace *own = own_namespace.lookup(&zero);
  if (!own)
    return 0;
  if (!pid) {
    /* An ended thread gives its number back before its last switch. */
    tid = read_u32(task + OFFSET_TASK_PID);
    remembered = remembered_tids.lookup(&tid);
    return remembered ? *remembered : 0;
  }
  if (!own->address)
    find_namespace(own, pid);
  if (!own->address || read_u32(pid + OFFSET_PID_LEVEL) < own->level)
    return 0;
  number = pid + OFFSET_PID_NUMBERS + own->level * UPID_BYTES;
  return read_u64(number + OFFSET_UPID_NS) == own->address ? read_u32(number + OFFSET_UPID_NR) : 0;
}

static __always_inline u32 pid_of(u64 task)
{
  return tid_of(read_u64(task + OFFSET_TASK_GROUP_LEADER));
}

static __always_inline u32 current_tid(void)
{
  return tid_of(bpf_get_current_task());
}

static __always_inline u32 current_pid(void)
{
  return pid_of(bpf_get_current_task());
}

static __always_inline void remember_tid(u32 tid)
{
  u32 kernel_tid = (u32)bpf_get_current_pid_tgid();
  if (tid)
    remembered_tids.update(&kernel_tid, &tid);
}

/* The tid under which a thread was remembered, by the kernel's tid; 0: not remembered. */
static __always_inline u32 remembered_tid(u32 kernel_tid)
{
  u32 *tid = remembered_tids.lookup(&kernel_tid);
  return tid ? *tid : 0;
}

/* raw sched_prepare_exec(task, bprm): current is about to exec. With probes on system calls,
 * execve's sys_enter remembers the tid. */
#if !DETAIL_FULL
PROGRAM(on_sched_prepare_exec)
{
  u32 slot, tid = current_tid();
  if (thread_of(tid, &slot))
    remember_tid(tid);
  return 0;
}
#endif

/* raw sched_process_exit(p): current ends, but still has its number. */
PROGRAM(on_sched_process_exit)
{
  u32 slot, tid = current_tid();
  if (thread_of(tid, &slot))
    remember_tid(tid);
  return 0;
}

static __always_inline u32 tid_of_argument(u64 task)
{
  return tid_of(task);
}
#else
static __always_inline u32 tid_of(u64 task)
{
  return MEMBER(u32, task, TYPE_TASK_STRUCT, OFFSET_TASK_PID);
}

/* The same for a task that is an argument whose type the verifier knows. */
static __always_inline u32 tid_of_argument(u64 task)
{
  u32 tid;
  LOAD("u32", tid, task, OFFSET_TASK_PID);
  return tid;
}

static __always_inline u32 pid_of(u64 task)
{
  return read_u32(task + OFFSET_TASK_TGID);
}

static __always_inline u32 current_tid(void)
{
  return (u32)bpf_get_current_pid_tgid();
}

static __always_inline u32 current_pid(void)
{
  return bpf_get_current_pid_tgid() >> 32;
}

static __always_inline u32 remembered_tid(u32 kernel_tid)
{
  return kernel_tid;
}
#endif
