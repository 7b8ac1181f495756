/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The simulated machine: what its scheduler (machine.c) and its threads (machine_threads.c)
 * share. */
#include "machine.h"
#include "records.h"
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

/* The probes, and what machine_access.c lets us see of them. */
PROGRAM(on_sys_enter);
PROGRAM(on_sys_exit);
PROGRAM(on_sched_switch);
PROGRAM(on_sched_waking);
struct thread *machine_thread(u32 slot);
struct call *machine_call(u32 index);
u64 machine_counter(u32 counter);
void machine_specify(u32 number, struct call_spec *spec);
void machine_track(u64 task, u32 tid, u32 slot);

#define THREADS 6 /* half of them on each CPU */
#define STACK (256 << 10)
#define IN_CALL_RESULT ((u64)-38)

enum { RUNNABLE, ASLEEP, WAKING_UP, RUNNING };
enum { ENTER, EXIT, EXIT_SPARE1, EXIT_SPARE2, SWITCH, WAKING, PROGRAMS };

struct task {
  u64 pid, sched_info[2]; /* read at OFFSET_TASK_PID and OFFSET_TASK_SCHED_INFO */
  u64 files;
  char comm[16];
  u64 regs[21];
  /* The machine's own. */
  ucontext_t context;
  int cpu, state, idle, preemption_off, dead, copy;
  /* What really happened. */
  u64 calls, bytes, runq_ns, wait_ns, ready_at, asleep_at, began;
};

extern struct task tasks[THREADS + CPUS], *current[CPUS]; /* the last ones are idle */
extern int cpu, machine_on, active[CPUS][PROGRAMS];
extern u64 now_ns, misses[PROGRAMS], steps, pace, seed;

u64 rnd(u64 below);
void wake_someone(void);
void schedule(int preempted);
void run_program(int program, int (*function)(struct bpf_raw_tracepoint_args *), u64 a, u64 b,
                 u64 c, u64 d);
