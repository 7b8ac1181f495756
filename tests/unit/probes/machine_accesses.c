/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What gcc and clang make the probes call before each memory access (-fsanitize=thread). */
#include "machine.h"

void __tsan_init(void)
{
}
void __tsan_func_entry(void *from)
{
  (void)from;
}
void __tsan_func_exit(void)
{
}
#define ACCESS(name)                                                                               \
  void __tsan_##name(void *at)                                                                     \
  {                                                                                                \
    (void)at;                                                                                      \
    machine_point();                                                                                       \
  }
ACCESS(read1) ACCESS(read2) ACCESS(read4) ACCESS(read8) ACCESS(read16)
ACCESS(write1) ACCESS(write2) ACCESS(write4) ACCESS(write8) ACCESS(write16)
ACCESS(unaligned_read2) ACCESS(unaligned_read4) ACCESS(unaligned_read8) ACCESS(unaligned_read16)
ACCESS(unaligned_write2) ACCESS(unaligned_write4) ACCESS(unaligned_write8)
ACCESS(unaligned_write16)
void __tsan_read_range(void *at, long bytes)
{
  (void)at, (void)bytes;
  machine_point();
}
void __tsan_write_range(void *at, long bytes)
{
  (void)at, (void)bytes;
  machine_point();
}
u64 __tsan_atomic64_fetch_add(volatile u64 *at, u64 more, int order)
{
  u64 old = *at;
  (void)order;
  *at += more;
  return old;
}
u32 __tsan_atomic32_fetch_add(volatile u32 *at, u32 more, int order)
{
  u32 old = *at;
  (void)order;
  *at += more;
  return old;
}
u64 __tsan_atomic64_compare_exchange_val(volatile u64 *at, u64 expected, u64 value, int order,
                                         int failed)
{
  u64 old = *at;
  (void)order, (void)failed;
  if (old == expected)
    *at = value;
  return old;
}
int __tsan_atomic64_compare_exchange_strong(volatile u64 *at, u64 *expected, u64 value, int order,
                                            int failed)
{
  u64 old = __tsan_atomic64_compare_exchange_val(at, *expected, value, order, failed);
  int same = old == *expected;
  *expected = old;
  return same;
}
