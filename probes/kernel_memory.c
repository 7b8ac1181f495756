/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading the kernel's memory: in place where the verifier knows the type, else by helpers. */

/* A member of a kernel struct, read in place: the verifier knows the type behind the address. In
 * assembler, because bcc would put a helper in the place of a plain member access. */
#define LOAD(type, place, address, offset)                                            \
  asm volatile("%0 = *(" type " *)(%1 + %2)" : "=r"(place) : "r"(address), "i"(offset))

static __always_inline u64 read_u64(u64 address)
{
  u64 value = 0;
  read_kernel_memory(&value, sizeof(value), (void *)address);
  return value;
}

static __always_inline u32 read_u32(u64 address)
{
  u32 value = 0;
  read_kernel_memory(&value, sizeof(value), (void *)address);
  return value;
}

static __always_inline u16 read_u16(u64 address)
{
  u16 value = 0;
  read_kernel_memory(&value, sizeof(value), (void *)address);
  return value;
}

static __always_inline u8 read_u8(u64 address)
{
  u8 value = 0;
  read_kernel_memory(&value, sizeof(value), (void *)address);
  return value;
}

#if HAVE_CAST
/* bpf_rdonly_cast (Linux 6.2): tells the verifier that a number is the address of a struct of that
 * type (a BTF id), so that LOAD may follow it. Reads through a wrong address give 0. It compiles
 * to nothing. See CAST_CALL in iotrace/engine/constants.py. */
static u64 (*cast)(u64 address, u32 type) = (void *)CAST_CALL;

/* A member of a kernel struct of a type that is named by its BTF id. */
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

/* The beginning of struct sched_info (include/linux/sched.h): pcount and run_delay. */
struct sched_figures {
  u64 slices;       /* how often the task was given a CPU */
  u64 run_delay_ns; /* its time in run queues */
};

/* task: a task whose type the verifier knows. */
static __always_inline struct sched_figures sched_figures_of(u64 task)
{
  struct sched_figures s = {};
#if HAVE_SCHED_INFO
  LOAD("u64", s.slices, task, OFFSET_TASK_SCHED_INFO);
  LOAD("u64", s.run_delay_ns, task, OFFSET_TASK_SCHED_INFO + 8);
#endif
  return s;
}

static __always_inline struct sched_figures current_sched_figures(void)
{
  struct sched_figures s = {};
#if HAVE_SCHED_INFO && (HAVE_CAST || !DETAIL_FULL)
  s = sched_figures_of((u64)bpf_get_current_task_btf());
#elif HAVE_SCHED_INFO
  read_kernel_memory(&s, sizeof(s), (void *)(bpf_get_current_task() + OFFSET_TASK_SCHED_INFO));
#endif
  return s;
}
