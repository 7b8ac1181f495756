/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Signals delivered: (slot << 32 | signal) -> count. */
BPF_HASH(signals, u64, u64, MAX_SIGNALS);

/* raw signal_deliver(sig, info, ka) */
PROGRAM(on_signal_deliver)
{
  u32 slot;
  struct thread *t = thread_of(current_tid(), &slot);
  u64 key, one = 1, *seen;
  if (!t || already_done(t, DONE_SIGNAL))
    return 0;
  if (TIMELINE)
    emit_thread(t, EVENT_SIGNAL, ctx->args[0], bpf_ktime_get_ns());
  key = ((u64)slot << 32) | (u32)ctx->args[0];
  seen = signals.lookup(&key);
  if (seen)
    __sync_fetch_and_add(seen, 1);
  else
    signals.update(&key, &one);
  return 0;
}
