/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters and maxima that several CPUs write, and sequence counters of records. */

/* An atomic addition that returns the old value. bcc 0.32 and later compile for BPF's first
 * instruction set, for which LLVM 20 and later refuse the builtin's result. */
static __always_inline u64 fetch_and_add(u64 *value, u64 more)
{
#if __clang_major__ < 20
  return __sync_fetch_and_add(value, more);
#else
  asm volatile("%0 = atomic_fetch_add((u64 *)(%1 + 0), %0)" : "+r"(more) : "r"(value) : "memory");
  return more;
#endif
}

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
  mine = fetch_and_add(next, 1);
  *index = mine;
  return mine < limit;
}

/* Raise a maximum that other CPUs may raise at the same time. Each lost race means that another
 * CPU has just stored a new maximum; after MAX_RACES of them in a row this one is dropped. */
#define MAX_RACES 4
static __always_inline void atomic_max(u64 *max, u64 value)
{
  u64 seen = *(volatile u64 *)max, found;
#pragma clang loop unroll(disable)
  for (int i = 0; i < MAX_RACES; i++) {
    if (value <= seen)
      return;
    found = __sync_val_compare_and_swap(max, seen, value);
    if (found == seen)
      return;
    seen = found;
  }
}

/* Stores before this one become visible to other CPUs before stores after it. x86 keeps the order
 * of stores (Intel SDM volume 3, Memory Ordering), so that only the compiler needs to be told. For
 * aarch64 BPF has no barrier but an atomic operation that returns a value, which is a full one
 * (arch/arm64/net/bpf_jit_comp.c: LDADDAL, or a loop with "dmb ish"; Linux 5.18 and later). */
static __always_inline void store_barrier(void)
{
#if STORES_IN_ORDER
  asm volatile("" ::: "memory");
#else
  u64 word = 0;
  asm volatile("" : : "r"(&word) : "memory");
  word = fetch_and_add(&word, 1);
  asm volatile("" : : "r"(word) : "memory");
#endif
}

/* The sequence counter of a record: odd while the record changes. Records have one writer at a
 * time (records.h), so the counter itself needs no atomic operation. The reader is
 * RecordTable.read in iotrace/engine/record_tables.py. */
static __always_inline void update_begin(u32 *seq)
{
  (*(volatile u32 *)seq)++;
  store_barrier();
}

static __always_inline void update_end(u32 *seq)
{
  store_barrier();
  (*(volatile u32 *)seq)++;
}
