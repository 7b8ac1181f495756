/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Probes that may be preempted.
 *
 * Since Linux 7.0 a program on a raw tracepoint runs with migration off, but no longer with
 * preemption off (kernel commits f7d327654b88 and a46023d5616e). With PREEMPTIBLE the probes allow
 * for both consequences.
 *
 * 1. sched_switch could see a record in the middle of an update. So preemption is off during every
 * update, from before the clock is read.
 *
 * 2. The kernel skips a program that already runs on this CPU (a recursion miss), which may be
 * that of a preempted task. The check comes before the program's first instruction, and a
 * preemption that was held back takes place before the program's last, so that no program can
 * prevent a miss. A second copy of a program is another program to the kernel: copies (the SPARE
 * programs) do what the first one has missed. Only sys_enter has none: sys_exit and sched_switch
 * find its call in the saved registers. sched_switch itself is never preempted.
 */
#if PREEMPTIBLE
static void (*disable_preemption)(void) = (void *)PREEMPT_DISABLE_CALL;
static void (*enable_preemption)(void) = (void *)PREEMPT_ENABLE_CALL;

static __always_inline void preempt_off(void)
{
  disable_preemption(); /* bpf_preempt_disable, Linux 6.10 */
}

static __always_inline void preempt_on(void)
{
  enable_preemption();
}

/* 0 in a program, 1 and up to COPIES - 1 in its spare copies: iotrace/engine/compiler.py makes all
 * of one. */
static __always_inline u64 copy_number(void)
{
  u64 number;
  asm volatile("%0 = %1" : "=r"(number) : "i"(COPY_MARK));
  return number;
}

/* All copies call this, in the order in which they are attached. Whichever does the work leaves a
 * mark in the thread's record for those behind it; the last one takes it away. Without a mark a
 * spare copy has to do the work. */
static __always_inline int already_done(struct thread *t, u32 event)
{
  u8 *mark = &t->done[event];
  u64 copy = copy_number();
  int done = copy && *mark;
  *mark = copy < COPIES - 1;
  return done;
}
#else
static __always_inline void preempt_off(void)
{
}

static __always_inline void preempt_on(void)
{
}

static __always_inline u64 copy_number(void)
{
  return 0;
}

static __always_inline int already_done(struct thread *t, u32 event)
{
  return 0;
}
#endif
