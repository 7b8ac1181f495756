/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A simulated machine that preempts the probes: see test_interleaving.py. The probes are compiled
 * with -fsanitize=thread, but the functions that this calls before each memory access are the
 * machine's own: there another CPU may run, an interrupt may come, or the thread may be preempted.
 *
 * machine SEED STEPS PACE prints the figures of each thread, a line of JSON each. A preemption is
 * due every PACE memory accesses.
 */
#include "machine_state.h"

struct task tasks[THREADS + CPUS], *current[CPUS];
int cpu, machine_on, active[CPUS][PROGRAMS];
u64 now_ns = 1000000, misses[PROGRAMS], steps, pace, seed;
static int need_resched[CPUS], irqs_off[CPUS];

u64 rnd(u64 below)
{
  seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
  return (seed >> 33) % below;
}

int machine_cpu(void)
{
  return cpu;
}
u64 bpf_ktime_get_ns(void)
{
  return now_ns;
}
u64 bpf_get_current_pid_tgid(void)
{
  return (7ULL << 32) | current[cpu]->pid;
}
u64 bpf_get_current_task(void)
{
  return (u64)current[cpu];
}
void *bpf_get_current_task_btf(void)
{
  return current[cpu];
}
void *bpf_task_pt_regs(void *task)
{
  return ((struct task *)task)->regs;
}
long bpf_get_current_comm(void *to, int bytes)
{
  memcpy(to, current[cpu]->comm, bytes);
  return 0;
}
u64 machine_copy(void)
{
  return current[cpu]->copy;
}

void machine_disable_preemption(void)
{
#if PREEMPTION_CAN_BE_OFF
  current[cpu]->preemption_off++;
#endif
}
void machine_enable_preemption(void)
{
#if PREEMPTION_CAN_BE_OFF
  struct task *t = current[cpu];
  if (!--t->preemption_off && need_resched[cpu])
    schedule(1);
#endif
}

void wake_someone(void)
{
  struct task *t = &tasks[rnd(THREADS)];
  if (t->state != ASLEEP || current[t->cpu] == t || irqs_off[cpu])
    return;
  irqs_off[cpu] = 1;
  current[cpu]->preemption_off++;
  t->state = WAKING_UP;
  t->wait_ns += now_ns - t->asleep_at;
  t->ready_at = now_ns;
  run_program(WAKING, on_sched_waking, (u64)t, 0, 0, 0);
  t->state = RUNNABLE;
  if (rnd(pace) < 150)
    need_resched[t->cpu] = 1;
  current[cpu]->preemption_off--;
  irqs_off[cpu] = 0;
}

/* Anything may happen here. */
void machine_point(void)
{
  struct task *t;
  int other;
  if (!machine_on)
    return;
  machine_on = 0;
  steps++;
  now_ns += 1 + rnd(3);
  t = current[cpu];
  if (!rnd(pace))
    need_resched[cpu] = 1;
  if (!rnd(4)) {
    other = (cpu + 1) % CPUS;
    cpu = other;
    machine_on = 1;
    swapcontext(&t->context, &current[other]->context);
    machine_on = 0;
  }
  machine_on = 1;
  if (!rnd(100))
    wake_someone();
  if (need_resched[cpu] && !t->preemption_off)
    schedule(1);
}

void schedule(int preempted)
{
  struct task *prev = current[cpu], *next = NULL;
  int first = rnd(THREADS);
  need_resched[cpu] = 0;
  irqs_off[cpu] = 1; /* the run queue's lock is held */
  prev->preemption_off++;
  for (int i = 0; i < THREADS; i++) {
    struct task *t = &tasks[(first + i) % THREADS];
    if (t->cpu == cpu && t->state == RUNNABLE && t != prev)
      next = t;
  }
  if (!next && prev->state == RUNNING) {
    prev->preemption_off--;
    irqs_off[cpu] = 0;
    return;
  }
  if (!next)
    next = &tasks[THREADS + cpu];
  if (prev->state == RUNNING) {
    prev->state = RUNNABLE;
    prev->ready_at = now_ns;
  }
  next->state = RUNNING; /* before the tracepoint: nobody else may wake or take it */
  if (!next->idle) {
    next->runq_ns += now_ns - next->ready_at;
    next->sched_info[0]++;
    next->sched_info[1] += now_ns - next->ready_at;
  }
  run_program(SWITCH, on_sched_switch, preempted, (u64)prev, (u64)next, preempted ? 0 : 1);
  current[cpu] = next;
  swapcontext(&prev->context, &next->context);
  prev->preemption_off--; /* runs again, on the same CPU */
  irqs_off[cpu] = 0;
}

void run_program(int program, int (*function)(struct bpf_raw_tracepoint_args *), u64 a, u64 b,
                 u64 c, u64 d)
{
  struct bpf_raw_tracepoint_args ctx = {{a, b, c, d}};
  int mine = ++active[cpu][program] == 1, copy = current[cpu]->copy;
  machine_point();
  current[cpu]->copy = program == EXIT_SPARE1 ? 1 : program == EXIT_SPARE2 ? 2 : 0;
  if (mine)
    function(&ctx);
  else
    misses[program]++;
  current[cpu]->copy = copy; /* of the program that this one has interrupted */
  machine_point();
  active[cpu][program]--;
}
