/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which threads are tracked: from a tid to a slot and a record. This is the filter of every
 * probe. */

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

static __always_inline int track_thread(u32 tid, u32 slot)
{
  u32 place = tid & (THREAD_HINTS - 1);
  u64 *hint = thread_hints.lookup(&place);
  if (!hint || thread_index.update(&tid, &slot))
    return 0;
  if (__sync_val_compare_and_swap(hint, 0, slot + 1))
    *hint = HINT_SHARED;
  return 1;
}

static __always_inline void untrack_thread(u32 tid, u32 slot)
{
  u32 place = tid & (THREAD_HINTS - 1);
  u64 *hint = thread_hints.lookup(&place);
  thread_index.delete(&tid);
  if (hint)
    __sync_val_compare_and_swap(hint, slot + 1, 0);
}
