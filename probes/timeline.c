/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The timeline: single events of traced threads, streamed on request. Without TIMELINE the
 * functions that probes call are empty.
 */
#if TIMELINE
/* EVENT_* are in iotrace/vocabulary/events.py. Flat, 40 bytes. */
struct event {
  u64 at_ns;
  s64 value;
  u32 pid;
  u32 tid;
  s32 fd;
  u16 kind;
  u16 nr;
};

/* Written by every probe while COUNTER_TIMELINE_ON is not 0; read by user space, which polls:
 * waking it for each event would slow the traced threads far more than the event itself. */
BPF_RINGBUF_OUTPUT(timeline, TIMELINE_PAGES);

static __always_inline void emit(u16 kind, u32 pid, u32 tid, u32 nr, s32 fd, s64 value, u64 now)
{
  u32 on = COUNTER_TIMELINE_ON;
  u64 *enabled = counters.lookup(&on);
  struct event e = {};
  if (!enabled || !*enabled)
    return;
  e.at_ns = now;
  e.value = value;
  e.pid = pid;
  e.tid = tid;
  e.fd = fd;
  e.kind = kind;
  e.nr = nr;
  if (timeline.ringbuf_output(&e, sizeof(e), BPF_RB_NO_WAKEUP))
    count(COUNTER_LOST_EVENTS);
}

static __always_inline void emit_thread(struct thread *t, u16 kind, s64 value, u64 now)
{
  emit(kind, t->pid, t->tid, t->in_call ? t->call_nr : CALL_OTHER, t->in_call ? t->call_fd : -1,
       value, now);
}

/* An event of no thread: data on a socket, the end of an io_uring operation. */
static __always_inline void emit_other(u16 kind, u32 pid, s64 value, u64 now)
{
  emit(kind, pid, 0, CALL_OTHER, -1, value, now);
}

/* A part of an exchange ends in the call that current returns from. e: NULL: unknown. */
static __always_inline void emit_part(struct thread *t, u16 kind, struct endpoint *e, s32 fd, u64 ns)
{
  if (e)
    emit(kind, t->pid, t->tid, e->kind == KIND_TCP ? e->port : 0, fd, ns, t->since_ns);
}
#else
static __always_inline void emit_thread(struct thread *t, u16 kind, s64 value, u64 now)
{
}

static __always_inline void emit_other(u16 kind, u32 pid, s64 value, u64 now)
{
}

static __always_inline void emit_part(struct thread *t, u16 kind, struct endpoint *e, s32 fd, u64 ns)
{
}
#endif
