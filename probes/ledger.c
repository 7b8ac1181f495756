/* The ledger: charge the time since the last event to the state a thread was in.
 * Whatever a tracepoint does to a thread's record goes through these helpers.
 */
static __always_inline void count(u32 counter)
{
  u64 *value = counters.lookup(&counter);
  if (value)
    __sync_fetch_and_add(value, 1);
}

/* The next index of a table that has never been used, below limit. */
static __always_inline int next_unused(u32 counter, u32 limit, u32 *index)
{
  u64 *next = counters.lookup(&counter);
  u64 mine;
  if (!next || *next >= limit)
    return 0;
  mine = __sync_fetch_and_add(next, 1);
  *index = mine;
  return mine < limit;
}

static __always_inline struct thread *thread_of(u32 tid, u32 *slot)
{
  u32 place = tid & (THREAD_HINTS - 1), *found;
  u64 *hint = thread_hints.lookup(&place);
  struct thread *t;
  if (!hint || !*hint)
    return NULL;
  if (*hint != HINT_SHARED) {
    *slot = *hint - 1;
    t = threads.lookup(slot);
    return t && t->tid == tid ? t : NULL;
  }
  found = thread_index.lookup(&tid);
  if (!found)
    return NULL;
  *slot = *found;
  return threads.lookup(found);
}

static __always_inline int index_thread(u32 tid, u32 slot)
{
  u32 place = tid & (THREAD_HINTS - 1);
  u64 *hint = thread_hints.lookup(&place);
  if (!hint || thread_index.update(&tid, &slot))
    return 0;
  if (__sync_val_compare_and_swap(hint, 0, slot + 1))
    *hint = HINT_SHARED;
  return 1;
}

static __always_inline void forget_thread(u32 tid, u32 slot)
{
  u32 place = tid & (THREAD_HINTS - 1);
  u64 *hint = thread_hints.lookup(&place);
  thread_index.delete(&tid);
  if (hint)
    __sync_val_compare_and_swap(hint, slot + 1, 0);
}

#define BEGIN_UPDATE(record)                  \
  do {                                        \
    (*(volatile u32 *)&(record)->seq)++;      \
    asm volatile("" ::: "memory");            \
  } while (0)
#define END_UPDATE(record)                    \
  do {                                        \
    asm volatile("" ::: "memory");            \
    (*(volatile u32 *)&(record)->seq)++;      \
  } while (0)

/* The same number, by way of memory: the verifier walks whatever follows once for each value (or
 * range) that it knows a number may have, and this makes it forget. */
static __always_inline u32 forgotten(struct thread *t, u32 number)
{
  *(volatile u32 *)&t->bucket = number;
  return *(volatile u32 *)&t->bucket;
}

/* The bucket of a histogram; the verifier knows nothing of it. */
static __always_inline u32 bucket_of(struct thread *t, u64 ns)
{
  return forgotten(t, histogram_bucket(ns));
}

/* Nanoseconds since the last charge; clocks of two CPUs may differ by a hair. */
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
  t->runq_ns += ns;
  t->call_runq_ns += ns;
}

/* A member of a kernel struct that is read without a helper: the verifier knows the type behind the
 * address. Hidden from bcc, which would put a helper in its place. */
#define LOAD(type, place, address, offset)                                            \
  asm volatile("%0 = *(" type " *)(%1 + %2)" : "=r"(place) : "r"(address), "i"(offset))

#if HAVE_CAST
/* The number is the address of a kernel struct of that type: LOAD may follow it. If it is not, it
 * reads 0. The call is no more than a mark for the verifier. */
static u64 (*cast)(u64 address, u32 type) = (void *)CAST_CALL;

/* A member of a kernel struct of that type, read in place where the kernel allows it. */
#define MEMBER(type, address, struct_type, offset)                                    \
  ({                                                                                  \
    type member;                                                                      \
    u64 typed = cast(address, struct_type);                                           \
    LOAD(#type, member, typed, offset);                                               \
    member;                                                                           \
  })
#else
#define MEMBER(type, address, struct_type, offset) read_##type((address) + (offset))
#endif

/* What the scheduler says of current: struct sched_info begins with these. */
struct scheduled {
  u64 slices;
  u64 run_delay_ns;
};

/* The same of a task of which the verifier knows the type. */
static __always_inline struct scheduled scheduled_as(u64 task)
{
  struct scheduled s = {};
#if HAVE_SCHED_INFO
  LOAD("u64", s.slices, task, OFFSET_TASK_SCHED_INFO);
  LOAD("u64", s.run_delay_ns, task, OFFSET_TASK_SCHED_INFO + 8);
#endif
  return s;
}

static __always_inline struct scheduled scheduled(void)
{
  struct scheduled s = {};
#if HAVE_SCHED_INFO && (HAVE_CAST || !DETAIL_FULL)
  s = scheduled_as((u64)bpf_get_current_task_btf());
#elif HAVE_SCHED_INFO
  read_kernel_memory(&s, sizeof(s), (void *)(bpf_get_current_task() + OFFSET_TASK_SCHED_INFO));
#endif
  return s;
}

static __always_inline void charge_wait(struct thread *t, u64 ns)
{
  t->wait_ns[t->sleep_class & (WAIT_CLASSES - 1)] += ns;
  t->call_wait_ns += ns;
}

/* It runs, but we did not see it switched in: some kernels hide the switches of some tasks.
 * What the scheduler counted since it left the CPU tells how long it was ready; the rest of
 * the time up to now it has been running. Where not even its wake-up was seen, but it got a CPU
 * once only and is still in the call that it slept in, it has only just begun to run. */
static __always_inline void catch_up(struct thread *t, u64 now, struct scheduled *s)
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
        t->unaccounted_ns += asleep; /* or running: nobody can tell */
    }
    t->call_kernel_at_wake_ns = t->call_kernel_ns;
  }
  if (ready > ns - asleep)
    ready = ns - asleep;
  charge_runq(t, ready);
  t->since_ns += asleep + ready;
  t->state = t->resume_state;
}

/* Nobody tells of wake-ups here: of its last sleep, a thread that runs again takes what the
 * scheduler counted as time in a run queue. */
static __always_inline void split_sleep(struct thread *t, struct scheduled *s)
{
  u64 ready = s->run_delay_ns - t->run_delay_ns;
  if (ready > t->slept_ns)
    ready = t->slept_ns;
  t->wait_ns[t->sleep_class & (WAIT_CLASSES - 1)] -= ready;
  t->call_wait_ns -= ready;
  charge_runq(t, ready);
  t->slept_ns = 0;
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
    t->unaccounted_ns += ns;
  }
  t->since_ns += ns;
}

/* Charge current, which was on a CPU until now; s: what the scheduler says of it. */
static __always_inline void charge_scheduled(struct thread *t, u64 now, struct scheduled *s)
{
  if (!HAVE_WAKING && HAVE_SCHED_INFO && t->slept_ns)
    split_sleep(t, s);
  if (unlikely(t->state == STATE_SLEEP || t->state == STATE_RUNQ))
    catch_up(t, now, s);
  charge_cpu(t, t->state, now);
}

/* Charge current, which runs and is most likely in that state: the short way for most events. */
static __always_inline void charge_running(struct thread *t, u8 usual, u64 now)
{
  struct scheduled s = {};
  /* volatile: else the compiler asks for the unusual first. */
  if (*(volatile u8 *)&t->state == usual && (HAVE_WAKING || !t->slept_ns)) {
    charge_cpu(t, usual, now);
    return;
  }
  if (t->state == STATE_UNKNOWN)
    t->state = usual;
  if ((!HAVE_WAKING && t->slept_ns) || t->state == STATE_SLEEP || t->state == STATE_RUNQ)
    s = scheduled();
  charge_scheduled(t, now, &s);
}

/* How much of the ns since it went to sleep it slept; iotrace/snapshot/in_flight.py says the same.
 * A wake-up comes before a sleeper is switched in; one while it still ran, just before the
 * switch-out, raced with that: it never really slept. Where there is none, or only an old one,
 * the real one was not seen: then all of the time counts as sleep. */
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
    t->call_kernel_at_wake_ns = t->call_kernel_ns;
    charge_runq(t, ns - asleep);
  } else {
    t->unaccounted_ns += ns;
  }
  t->since_ns += ns;
}

/* A new iteration: nobody is to be blamed for it yet. */
static __always_inline void forget_blame(struct loop *l)
{
  l->blamed_cpu = l->blamed_holder = l->blamed_call = 0;
  l->blamed_ns = l->blamed_place = l->blamed_votes = 0;
}
