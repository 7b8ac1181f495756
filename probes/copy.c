/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The border between wait and copy inside a receive. */

#if HAVE_SKB_COPY
/* raw skb_copy_datagram_iovec(skb, len): the kernel starts to copy a buffer to current. */
PROGRAM(on_skb_copy)
{
  u32 slot;
  struct thread *t = thread_of(current_tid(), &slot);
  u64 now;
  if (!t || already_done(t, DONE_COPY) || t->state == STATE_COPY ||
      (DETAIL_FULL && !t->in_call))
    return 0;
  preempt_off();
  now = bpf_ktime_get_ns();
  update_begin(&t->seq);
  if (DETAIL_SOCKETS && !t->call_first_copy_ns)
    t->moved_after_ns = t->since_ns;
  charge_running(t, DETAIL_FULL ? STATE_KERNEL : STATE_USER, now);
  t->state = STATE_COPY;
  if (!t->call_first_copy_ns)
    t->call_first_copy_ns = now;
  emit_thread(t, EVENT_COPY, 0, now);
  update_end(&t->seq);
  preempt_on();
  return 0;
}
#endif
