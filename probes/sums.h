/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A copy of a thread's sums, in the order of the parts of an exchange. */
#ifndef IOTRACE_SUMS_H
#define IOTRACE_SUMS_H
#include "exchanges.h"

#define COPY_CPU_SUMS(to, t)         \
  do {                               \
    (to)[PART_USER] = (t)->user_ns;     \
    (to)[PART_KERNEL] = (t)->kernel_ns; \
    (to)[PART_COPY] = (t)->copy_ns;     \
  } while (0)

/* to, from: sums or parts off the CPU alone. */
#define PLACE(part) ((part) - CPU_PARTS)
#define COPY_OFF_CPU_SUMS(to, t)                                   \
  do {                                                              \
    (to)[PLACE(PART_RUNQ)] = (t)->runq_ns;                          \
    (to)[PLACE(PART_UNACCOUNTED)] = (t)->unaccounted_ns;            \
    _Pragma("unroll") for (int i_ = 0; i_ < WAITS; i_++)            \
      (to)[PLACE(PART_WAIT + i_)] = (t)->wait_ns[i_];               \
  } while (0)

#endif
