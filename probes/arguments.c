/* What the arguments of a system call say: who waits for what, and for how long at most. */
#define FUTEX_WAIT 0
#define FUTEX_WAIT_BITSET 9
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_COMMAND 127
#define EPOLL_CTL_DEL 2

/* The arguments of a call: ARGUMENT_* are words of its saved registers. Where registers are read in
 * place, one at a time; else all at once, and beforehand. */
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
  /* Those of a task that the verifier knows. */
#pragma unroll
  for (int i = 0; i < ARGUMENT_WORDS; i++)
    LOAD("u64", args->words[i], regs, OFFSET_ARGUMENTS + 8 * i);
  return 1;
#endif
}

static __always_inline u64 argument(struct arguments *args, u8 word)
{
  /* Spelt out: a variable index into the stack is more than some verifiers follow. */
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

/* A timeout of nothing: "look, but do not wait". */
static __always_inline int zero_timeout(u64 timeout, u16 flags)
{
  u64 pair[2]; /* struct timeval or timespec */
  if (!(flags & CALL_TIMEOUT_POINTER))
    return (u32)timeout == 0;
  if (!timeout || read_user_memory(pair, sizeof(pair), (void *)timeout))
    return 0;
  return !pair[0] && !pair[1];
}

/* A lock wait that gives up very soon: how an interpreter's thread asks for the lock (the GIL)
 * that another one holds. Told so only where the lock's address is not known: others give up soon,
 * too. FUTEX_WAIT_BITSET takes a point in time, FUTEX_WAIT a length (futex(2)). */
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

/* How epoll_ctl wants to be told of a descriptor: struct epoll_event begins with the events. */
static __always_inline u32 trigger_kind(u64 operation, u64 event)
{
  u32 events = 0;
  if ((u32)operation == EPOLL_CTL_DEL ||
      read_user_memory(&events, sizeof(events), (void *)event))
    return KIND_NONE;
  return events >> 31 ? KIND_EDGE : KIND_LEVEL;
}
