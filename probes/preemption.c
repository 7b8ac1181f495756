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

/* 0 in a program, 1 and more in its spare copies: iotrace/engine/compiler.py makes all
 * of one. */
static __always_inline u64 copy_number(void)
{
  u64 number;
  asm volatile("%0 = %1" : "=r"(number) : "i"(COPY_MARK));
  return number;
}

/* Whether an earlier copy has run for this event. All copies call this, in the order in which they
 * are attached, and leave their bits in ran. They are still there at the next event: but a copy that
 * finds its own bit, or that of one behind it, knows that they are of an earlier event. */
static __always_inline int ran_before(u8 *ran)
{
  u8 before = *ran, mine = 1 << copy_number();
  int done = before && before < mine;
  *ran = done ? before | mine : mine;
  return done;
}

/* The same of an event of a thread. Where no earlier copy has run, a spare one has to do the
 * work. */
static __always_inline int already_done(struct thread *t, u32 event)
{
  return ran_before(&t->done[event]);
}

#if DETAIL_SOCKETS
#define COPY_BITS 6 /* the event, DONE_RECEIVED or DONE_SENT, takes two more */
/* By the low bits of the tid: the latest read or write of a socket, and which copies ran for it. */
BPF_ARRAY(socket_events, u32, THREAD_HINTS);

/* Called for everybody's reads and writes, since those of everybody are in the kernel's counts of
 * skipped runs: of these, the first copy's, what is counted here was made up for by a spare one
 * (iotrace/engine/skipped_runs.py). */
static __always_inline void count_made_up(u32 event, u32 counter)
{
  u32 tid = bpf_get_current_pid_tgid(), place = tid & (THREAD_HINTS - 1);
  u32 *latest = socket_events.lookup(&place), this = tid << 8 | event << COPY_BITS;
  u8 ran = 0;
  if (!latest)
    return;
  if ((*latest ^ this) < 1 << COPY_BITS)
    ran = *latest & ((1 << COPY_BITS) - 1);
  if (!ran_before(&ran) && copy_number())
    count(counter);
  *latest = this | ran;
}
#endif
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

static __always_inline int ran_before(u8 *ran)
{
  return 0;
}

static __always_inline int already_done(struct thread *t, u32 event)
{
  return 0;
}

static __always_inline void count_made_up(u32 event, u32 counter)
{
}
#endif
