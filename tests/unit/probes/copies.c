/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The copies of a program, of which the kernel skips some: see test_copies.py. */
#include "machine.h"

static u64 running;
static u32 current_tid, made_up;

u64 machine_copy(void)
{
  return running;
}
void machine_disable_preemption(void)
{
}
void machine_enable_preemption(void)
{
}
u64 bpf_get_current_pid_tgid(void)
{
  return current_tid;
}
int machine_cpu(void)
{
  return 0;
}
static void count(u32 counter)
{
  made_up++;
}

struct thread {
  u8 done[8];
};
#include "preemption_here.c"

/* Whether event 2 of thread tid is handled, where the copies in this set are skipped. */
int event_of(struct thread *t, u32 tid, u32 skipped)
{
  int handled = 0;
  current_tid = tid;
  for (running = 0; running < COPIES; running++) {
    if (skipped >> running & 1)
      continue;
    count_made_up(2, 0);
    handled += !already_done(t, 2);
  }
  return handled;
}
u32 made_up_so_far(void)
{
  return made_up;
}
