/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ledger: charge the time since the last event to the state that a thread was in. Every probe
 * that changes the state of a thread charges through these functions.
 */
#include "sums.h"

/* Hide the bounds of a scalar from the verifier, which explores the code that follows once for
 * each range that it knows of a number. The value goes through memory of the record. */
static __always_inline u32 unbounded(struct thread *t, u32 number)
{
  *(volatile u32 *)&t->scratch = number;
  return *(volatile u32 *)&t->scratch;
}

/* The bucket of a histogram, without bounds that the verifier would know. */
static __always_inline u32 bucket_of(struct thread *t, u64 ns)
{
  return unbounded(t, histogram_bucket(ns));
}

/* Nanoseconds since the last charge; 0 where the clock of the other CPU was ahead. */
static __always_inline u64 elapsed(struct thread *t, u64 now)
{
  s64 ns = now - t->since_ns;
  return ns > 0 ? ns : 0;
}

static __always_inline void charge_kernel(struct thread *t, u64 ns)
{
  t->kernel_ns += ns;
  t->call_kernel_ns += ns;
}

static __always_inline void charge_runq(struct thread *t, u64 ns)
{
  t->charges++;
  t->runq_ns += ns;
  t->call_runq_ns += ns;
}

/* Requests that a thread has read and that are not answered; below 0 where a record was used again. */
static __always_inline s32 in_hand(struct thread *t)
{
  return t->taken - t->answered - t->given;
}

/* Without a probe on wake-ups the end of a sleep is known only once the thread runs: what was taken of
 * it before (date_sums()) is put right then, by its number. */
static __always_inline void keep_sleep(struct thread *t, u64 ns)
{
  t->sleeps_ns[t->sleeps & (SLEEPS_KEPT - 1)] = ns;
  t->sleeps++;
}

/* Whether a thread that wakes up may have been given a request by another one. A wait for the GIL comes
 * after that. */
static __always_inline int may_be_handed_one(struct thread *t)
{
  return (t->pooled || !t->taken) && in_hand(t) <= 0 && t->sleep_class != WAIT_GIL;
}

/* A thread of a pool is free, and its sums are those that its next request begins with. */
static __always_inline void note_free(struct thread *t, u64 now)
{
  COPY_CPU_SUMS(t->free_at, t);
  COPY_OFF_CPU_SUMS(t->free_at + CPU_PARTS, t);
  t->free_ns = now;
}

/* How much of a sleep of ns, that began when the thread was charged last, nobody waited for: no request
 * was in its hands, and none had arrived. */
static __always_inline u64 idle(struct thread *t, u64 ns)
{
  u64 wanted = t->wanted_ns - t->since_ns;
  if (in_hand(t) > 0)
    return 0;
  t->wanted_ns = 0;
  return wanted < ns ? wanted : ns;
}

static __always_inline void charge_wait(struct thread *t, u64 ns)
{
  u32 class = t->sleep_class & (WAIT_CLASSES - 1);
  t->charges++;
  t->wait_ns[class] += ns;
  t->call_wait_ns += ns;
  if (WATCH_SOCKETS) {
    u64 nobody_waits = idle(t, ns);
    t->idle_ns[class] += nobody_waits;
    if (!HAVE_WAKING)
      t->slept_idle_ns = nobody_waits;
  }
}

static __always_inline void charge_unaccounted(struct thread *t, u64 ns)
{
  t->charges++;
  t->unaccounted_ns += ns;
}

/* The thread runs, but no switch to it was seen: some kernels hide the switches of some tasks.
 * What sched_info has counted since the thread left its CPU tells how long it was ready; the rest
 * of the time it has run. Where not even the wake-up was seen, but the thread got a CPU only once
 * and is still in the call that it slept in, it has only just begun to run. */
static __always_inline void catch_up(struct thread *t, u64 now, struct sched_figures *s)
{
  u64 ns = elapsed(t, now), asleep = 0, ready = s->run_delay_ns - t->run_delay_ns;
  if (t->state == STATE_SLEEP) {
    if (t->woken_ns > t->since_ns && t->woken_ns - t->since_ns <= ns) {
      asleep = t->woken_ns - t->since_ns;
      charge_wait(t, asleep);
    } else {
      asleep = ready <= ns ? ns - ready : 0;
      if (t->in_call && s->slices - t->slices == 1)
        charge_wait(t, asleep);
      else
        charge_unaccounted(t, asleep); /* asleep or running: nothing tells which */
    }
    t->call_kernel_at_wake_ns = t->call_kernel_ns;
    if (!HAVE_WAKING)
      keep_sleep(t, asleep);
  }
  if (ready > ns - asleep)
    ready = ns - asleep;
  charge_runq(t, ready);
  t->since_ns += asleep + ready;
  t->switched_in_ns = t->since_ns;
  t->state = t->resume_state;
}

/* Without a probe on wake-ups: the part of the last sleep that sched_info has counted as time in a
 * run queue is moved there, once the thread runs again. */
static __always_inline void split_sleep(struct thread *t, struct sched_figures *s)
{
  u64 ready = s->run_delay_ns - t->run_delay_ns, asleep;
  u32 class = t->sleep_class & (WAIT_CLASSES - 1);
  if (ready > t->slept_ns)
    ready = t->slept_ns;
  asleep = t->slept_ns - ready;
  t->wait_ns[class] -= ready;
  t->call_wait_ns -= ready;
  charge_runq(t, ready);
  t->slept_ns = 0;
  if (!WATCH_SOCKETS)
    return;
  keep_sleep(t, asleep);
  if (t->slept_idle_ns > asleep)
    t->idle_ns[class] -= t->slept_idle_ns - asleep;
  if (t->free_ns == t->switched_in_ns) { /* by charge_waiting(): it was free when it woke up */
    t->free_ns -= ready;
    if (class < WAITS)
      t->free_at[PART_WAIT + class] -= ready;
  }
}

static __always_inline void charge_cpu(struct thread *t, u8 state, u64 now)
{
  u64 ns = elapsed(t, now);
  if (state == STATE_USER) {
    t->user_ns += ns;
  } else if (state == STATE_KERNEL) {
    charge_kernel(t, ns);
  } else if (state == STATE_COPY) {
    t->copy_ns += ns;
    t->call_copy_ns += ns;
  } else {
    charge_unaccounted(t, ns);
  }
  t->since_ns += ns;
}

/* Charge current, which was on a CPU until now; s: its figures in sched_info. */
static __always_inline void charge_with_figures(struct thread *t, u64 now, struct sched_figures *s)
{
  if (!HAVE_WAKING && HAVE_SCHED_INFO && t->slept_ns)
    split_sleep(t, s);
  if (unlikely(t->state == STATE_SLEEP || t->state == STATE_RUNQ))
    catch_up(t, now, s);
  charge_cpu(t, t->state, now);
}

/* Charge current, which runs and is most likely in that state: the short path for most events. */
static __always_inline void charge_running(struct thread *t, u8 usual, u64 now)
{
  struct sched_figures s = {};
  /* volatile keeps the compiler from testing for the unusual states first. */
  if (*(volatile u8 *)&t->state == usual && (HAVE_WAKING || !t->slept_ns)) {
    charge_cpu(t, usual, now);
    return;
  }
  if (t->state == STATE_UNKNOWN)
    t->state = usual;
  if ((!HAVE_WAKING && t->slept_ns) || t->state == STATE_SLEEP || t->state == STATE_RUNQ)
    s = current_sched_figures();
  charge_with_figures(t, now, &s);
}

/* How much of the ns since the thread went to sleep it slept; iotrace/snapshot/in_flight.py has
 * the same rules. A wake-up precedes the switch to the sleeper. A wake-up just before the switch
 * from it raced with that switch: the thread did not sleep. Where the last wake-up is older, the
 * one that ended this sleep was not seen, and all of the time counts as sleep. */
static __always_inline u64 slept(struct thread *t, u64 ns)
{
  u64 asleep = t->woken_ns - t->since_ns;
  if (!HAVE_WAKING)
    return ns;
  if (t->woken_ns > t->since_ns)
    return asleep < ns ? asleep : ns;
  if (t->woken_ns > t->switched_in_ns && t->since_ns - t->woken_ns < WAKE_RACE_NS)
    return 0;
  return ns;
}

/* Charge a thread that was off the CPU until now. */
static __always_inline void charge_waiting(struct thread *t, u64 now)
{
  u64 ns = elapsed(t, now);
  if (t->state == STATE_RUNQ) {
    charge_runq(t, ns);
  } else if (t->state == STATE_SLEEP) {
    u64 asleep = slept(t, ns);
    charge_wait(t, asleep);
    if (!HAVE_WAKING)
      t->slept_ns = asleep;
    if (WATCH_SOCKETS && may_be_handed_one(t))
      note_free(t, t->since_ns + asleep);
    t->call_kernel_at_wake_ns = t->call_kernel_ns;
    charge_runq(t, ns - asleep);
  } else {
    charge_unaccounted(t, ns);
  }
  t->since_ns += ns;
}
