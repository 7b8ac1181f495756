/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the arguments of a system call say: what it waits for, and for how long at most. */

/* include/uapi/linux/futex.h, include/uapi/linux/eventpoll.h */
#define FUTEX_WAIT 0
#define FUTEX_WAIT_BITSET 9
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_COMMAND 127
#define EPOLL_CTL_DEL 2

/* The arguments of a call: ARGUMENT_* are words of its saved registers. With bpf_rdonly_cast each
 * is read in place when it is needed; else all are copied beforehand. */
#if DETAIL_FULL && HAVE_CAST
struct arguments {
  u64 regs;
};

static __always_inline int find_arguments(struct arguments *args, u64 regs)
{
  args->regs = regs;
  return 1;
}

static __always_inline u64 argument(struct arguments *args, u8 word)
{
  u64 value, from = cast(args->regs + 8 * word, TYPE_PT_REGS);
  LOAD("u64", value, from, OFFSET_ARGUMENTS);
  return value;
}
#else
struct arguments {
  u64 words[ARGUMENT_WORDS];
};

static __always_inline int find_arguments(struct arguments *args, u64 regs)
{
#if DETAIL_FULL
  return !read_kernel_memory(args, sizeof(*args), (void *)(regs + OFFSET_ARGUMENTS));
#else
  /* regs come from a task whose type the verifier knows. */
#pragma unroll
  for (int i = 0; i < ARGUMENT_WORDS; i++)
    LOAD("u64", args->words[i], regs, OFFSET_ARGUMENTS + 8 * i);
  return 1;
#endif
}

static __always_inline u64 argument(struct arguments *args, u8 word)
{
  /* Unrolled: not every verifier accepts a variable index into the stack. */
#pragma unroll
  for (int i = 0; i < ARGUMENT_WORDS; i++)
    if (word == i)
      return args->words[i];
  return 0;
}
#endif

static __always_inline u32 wait_by_kind(u32 kind, u16 flags)
{
  if (kind == KIND_FILE || kind == KIND_DIR || kind == KIND_BLOCK)
    return WAIT_FILE;
  return flags & CALL_OUT ? WAIT_SEND : WAIT_RECV;
}

/* A timeout of 0: the call looks and does not wait. */
static __always_inline int zero_timeout(u64 timeout, u16 flags)
{
  u64 pair[2]; /* struct timeval or timespec */
  if (!(flags & CALL_TIMEOUT_POINTER))
    return (u32)timeout == 0;
  if (!timeout || read_user_memory(pair, sizeof(pair), (void *)timeout))
    return 0;
  return !pair[0] && !pair[1];
}

/* A lock wait with a very short timeout: so a Python thread asks for the GIL (ceval_gil.c,
 * take_gil). Only used where the GIL's address is not known, because other programs have short
 * timeouts, too. FUTEX_WAIT_BITSET takes a point in time, FUTEX_WAIT a length (futex(2)). */
static __always_inline int short_timeout(u64 operation, u64 timeout, u64 now)
{
  s64 pair[2]; /* struct timespec */
  u32 command = operation & FUTEX_COMMAND;
  if ((command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) || !timeout ||
      operation & FUTEX_CLOCK_REALTIME)
    return 0;
  if (read_user_memory(pair, sizeof(pair), (void *)timeout))
    return 0;
  pair[1] += pair[0] * 1000000000LL;
  if (command == FUTEX_WAIT_BITSET)
    pair[1] -= now;
  return pair[1] <= SHORT_TIMEOUT_NS;
}

/* Edge- or level-triggered: struct epoll_event begins with the events, of which EPOLLET is bit
 * 31. */
static __always_inline u32 trigger_kind(u64 operation, u64 event)
{
  u32 events = 0;
  if ((u32)operation == EPOLL_CTL_DEL ||
      read_user_memory(&events, sizeof(events), (void *)event))
    return KIND_NONE;
  return events >> 31 ? KIND_EDGE : KIND_LEVEL;
}
