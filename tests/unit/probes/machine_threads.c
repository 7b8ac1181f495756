/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the threads of the simulated machine do, and what is printed of them. */
#include "machine_state.h"

static u64 limit;
static ucontext_t ending;

static void compute(u64 most)
{
  for (u64 i = rnd(most); i; i--) {
    now_ns += rnd(400);
    machine_point();
  }
}

static void sleep_now(struct task *t)
{
  t->state = ASLEEP;
  t->asleep_at = now_ns;
  schedule(0);
}

static void system_call(struct task *t)
{
  u64 number = rnd(3), result = number < 2 ? 1 + rnd(100) : 0;
  t->regs[OFFSET_CALL_NUMBER / 8] = number;
  t->regs[OFFSET_RESULT / 8] = IN_CALL_RESULT;
  compute(3);
  run_program(ENTER, on_sys_enter, (u64)t->regs, number, 0, 0);
  compute(20);
  if (!rnd(3))
    sleep_now(t);
  compute(10);
  t->regs[OFFSET_RESULT / 8] = result;
  t->calls++;
  t->bytes += result;
  run_program(EXIT, on_sys_exit, (u64)t->regs, result, 0, 0);
  run_program(EXIT_SPARE1, on_sys_exit, (u64)t->regs, result, 0, 0);
  run_program(EXIT_SPARE2, on_sys_exit, (u64)t->regs, result, 0, 0);
  compute(3);
  t->regs[OFFSET_CALL_NUMBER / 8] = -1;
}

static void thread_main(int index)
{
  struct task *t = &tasks[index];
  while (steps < limit || rnd(10)) {
    compute(40);
    system_call(t);
  }
  t->dead = 1;
  for (;;) { /* the others end, too */
    int left = 0; /* threads that still work, and programs in the middle of something */
    for (int i = 0; i < THREADS; i++)
      left += !tasks[i].dead;
    for (int i = 0; i < CPUS * PROGRAMS; i++)
      left += active[i / PROGRAMS][i % PROGRAMS];
    if (!left)
      setcontext(&ending);
    wake_someone();
    machine_point();
  }
}

static void idle_main(int index)
{
  (void)index;
  for (;;) {
    wake_someone();
    machine_point();
    schedule(1);
  }
}

static void begin(int index, void (*function)(int))
{
  struct task *t = &tasks[index];
  getcontext(&t->context);
  t->context.uc_stack.ss_sp = malloc(STACK);
  t->context.uc_stack.ss_size = STACK;
  t->context.uc_link = NULL;
  makecontext(&t->context, (void (*)(void))function, 1, index);
}

static void prepare(void)
{
  struct call_spec spec = {.listed = 1, .wait_class = WAIT_OTHER};
  spec.fd_arg = spec.size_arg = spec.timeout_arg = spec.nfds_arg = NO_ARGUMENT;
  spec.buffer_arg = spec.msg_flags_arg = NO_ARGUMENT;
  for (u32 number = 0; number < 3; number++) {
    spec.flags = number == 0 ? CALL_IN : number == 1 ? CALL_OUT : 0;
    machine_specify(number, &spec);
  }
  for (u32 i = 0; i < THREADS + CPUS; i++) {
    struct task *t = &tasks[i];
    t->cpu = i < THREADS ? (int)i % CPUS : (int)i - THREADS;
    t->idle = i >= THREADS;
    t->pid = t->idle ? 0 : 1000 + i;
    t->ready_at = t->began = now_ns;
    t->regs[OFFSET_CALL_NUMBER / 8] = -1;
    t->state = RUNNABLE;
    begin(i, t->idle ? idle_main : thread_main);
    if (!t->idle) {
      machine_track((u64)t, t->pid, i);
    }
  }
  for (int i = 0; i < CPUS; i++) {
    current[i] = &tasks[THREADS + i];
    current[i]->state = RUNNING;
  }
}

static void report(void)
{
  for (u32 i = 0; i < THREADS; i++) {
    struct thread *t = machine_thread(i);
    u64 calls_made = 0, bytes = 0, wait_ns = 0;
    for (int w = 0; w < WAIT_CLASSES; w++)
      wait_ns += t->wait_ns[w];
    for (u32 c = 0; c < MAX_CALLS; c++) {
      struct call *call = machine_call(c);
      if (call && call->calls && call->slot == i) {
        calls_made += call->calls;
        bytes += call->bytes;
      }
    }
    printf("{\"seq\": %u, \"lifetime\": %llu, \"states\": %llu, \"runq\": [%llu, %llu], "
           "\"wait\": [%llu, %llu], \"calls\": [%llu, %llu], \"bytes\": [%llu, %llu], "
           "\"unaccounted\": %llu, \"unknown\": %llu, \"repaired\": %llu, \"missed\": [%llu, %llu, "
           "%llu, %llu]}\n",
           t->seq, (unsigned long long)(t->since_ns - t->started_ns),
           (unsigned long long)(t->user_ns + t->kernel_ns + t->copy_ns + t->runq_ns +
                                t->unaccounted_ns + wait_ns),
           (unsigned long long)t->runq_ns, (unsigned long long)tasks[i].runq_ns,
           (unsigned long long)wait_ns, (unsigned long long)tasks[i].wait_ns,
           (unsigned long long)calls_made, (unsigned long long)tasks[i].calls,
           (unsigned long long)bytes, (unsigned long long)tasks[i].bytes,
           (unsigned long long)t->unaccounted_ns,
           (unsigned long long)machine_counter(COUNTER_UNKNOWN_RESULTS),
           (unsigned long long)machine_counter(COUNTER_REPAIRED),
           (unsigned long long)misses[ENTER], (unsigned long long)misses[EXIT],
           (unsigned long long)misses[EXIT_SPARE1],
           (unsigned long long)misses[EXIT_SPARE2]);
  }
}

int main(int argc, char **argv)
{
  volatile int ended = 0;
  seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
  limit = argc > 2 ? strtoull(argv[2], NULL, 0) : 100000;
  pace = argc > 3 ? strtoull(argv[3], NULL, 0) : 1000;
  prepare();
  getcontext(&ending);
  if (!ended) {
    ended = 1;
    machine_on = 1;
    setcontext(&current[0]->context);
  }
  machine_on = 0;
  report();
  return 0;
}
