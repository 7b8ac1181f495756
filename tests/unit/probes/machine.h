/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the probes use of the kernel, for a simulated machine: see test_interleaving.py. This file
 * takes the place of prelude.h, tables.h and kernel_memory.c; machine.c is the machine.
 */
#ifndef MACHINE_H
#define MACHINE_H
#include <stdint.h>
#include <string.h>
#define IOTRACE_TYPES_H
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
#define __always_inline inline __attribute__((always_inline, unused))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct bpf_raw_tracepoint_args {
  u64 args[8];
};

#define CPUS 2
int machine_cpu(void); /* on which the current thread runs */
u64 bpf_ktime_get_ns(void);
u64 bpf_get_current_pid_tgid(void);
u64 bpf_get_current_task(void);
void *bpf_get_current_task_btf(void);
void *bpf_task_pt_regs(void *task);
long bpf_get_current_comm(void *to, int bytes);
void machine_disable_preemption(void);
void machine_enable_preemption(void);
u64 machine_copy(void);
void machine_point(void); /* anything may happen here */

static long read_memory(void *to, u32 bytes, const void *from)
{
  if (!from)
    return -14;
  memcpy(to, from, bytes);
  return 0;
}
#define read_kernel_memory read_memory
#define read_kernel_text read_memory
#define read_user_memory read_memory

#define PROGRAM(name) int name(struct bpf_raw_tracepoint_args *ctx)
#define MMAPABLE 0

/* A map with room for ENTRIES elements: an array by index, else a list that is searched. */
#define BPF_F_TABLE(type, key_t, leaf_t, name, entries, flags)                                     \
  enum { name##_room = (entries) < 4096 ? (entries) : 4096 };                                      \
  static leaf_t name##_leaf[CPUS][name##_room];                                                    \
  static u64 name##_key[name##_room];                                                              \
  static u8 name##_used[name##_room];                                                              \
  static leaf_t *name##_lookup(const void *key)                                                    \
  {                                                                                                \
    u64 wanted = 0;                                                                                \
    memcpy(&wanted, key, sizeof(key_t) < 8 ? sizeof(key_t) : 8);                                   \
    if (type[0] == 'a' || type[0] == 'p')                                                          \
      return wanted < name##_room ? &name##_leaf[type[0] == 'p' ? machine_cpu() : 0][wanted] : 0;  \
    for (int i = 0; i < name##_room; i++)                                                          \
      if (name##_used[i] && name##_key[i] == wanted)                                               \
        return &name##_leaf[0][i];                                                                 \
    return 0;                                                                                      \
  }                                                                                                \
  static int name##_update(const void *key, const void *leaf)                                      \
  {                                                                                                \
    leaf_t *found = name##_lookup(key);                                                            \
    for (int i = 0; !found && i < name##_room; i++)                                                \
      if (!name##_used[i]) {                                                                       \
        name##_used[i] = 1;                                                                        \
        name##_key[i] = 0;                                                                         \
        memcpy(&name##_key[i], key, sizeof(key_t) < 8 ? sizeof(key_t) : 8);                        \
        found = &name##_leaf[0][i];                                                                \
      }                                                                                            \
    if (!found)                                                                                    \
      return -1;                                                                                   \
    memcpy(found, leaf, sizeof(leaf_t));                                                           \
    return 0;                                                                                      \
  }                                                                                                \
  static int name##_delete(const void *key)                                                        \
  {                                                                                                \
    leaf_t *found = name##_lookup(key);                                                            \
    if (!found || type[0] == 'a')                                                                  \
      return -1;                                                                                   \
    name##_used[found - &name##_leaf[0][0]] = 0;                                                   \
    return 0;                                                                                      \
  }                                                                                                \
  static struct {                                                                                  \
    leaf_t *(*lookup)(const void *);                                                               \
    int (*update)(const void *, const void *);                                                     \
    int (*insert)(const void *, const void *);                                                     \
    int (*delete)(const void *);                                                                   \
  } name = {name##_lookup, name##_update, name##_update, name##_delete};
#define BPF_TABLE(type, key, leaf, name, entries) BPF_F_TABLE(type, key, leaf, name, entries, 0)
#define BPF_HASH(name, key, leaf, entries) BPF_TABLE("hash", key, leaf, name, entries)
#define BPF_ARRAY(name, leaf, entries) BPF_TABLE("array", u32, leaf, name, entries)
#define BPF_PERCPU_ARRAY(name, leaf, entries) BPF_TABLE("percpu_array", u32, leaf, name, entries)
/* No tail call is ever made: what the calls here work on are no sockets. */
static void machine_tail_call(struct bpf_raw_tracepoint_args *ctx, int index)
{
}
#define BPF_PROG_ARRAY(name, entries)                                                              \
  static struct {                                                                                  \
    void (*call)(struct bpf_raw_tracepoint_args *, int);                                           \
  } name = {machine_tail_call}
static int machine_pop(void *leaf)
{
  (void)leaf;
  return -1;
}
#define BPF_QUEUE(name, leaf, entries)                                                             \
  static struct {                                                                                  \
    int (*pop)(void *);                                                                            \
  } name = {machine_pop};

/* In the place of kernel_memory.c: types are of no importance here. */
static __always_inline u64 read_u64(u64 address)
{
  return address ? *(volatile u64 *)address : 0;
}
static __always_inline u32 read_u32(u64 address)
{
  return address ? *(volatile u32 *)address : 0;
}
static __always_inline u8 read_u8(u64 address)
{
  return *(u8 *)address;
}
static __always_inline u16 read_u16(u64 address)
{
  return address ? *(volatile u16 *)address : 0;
}
#define LOAD(type, place, address, offset)                                                         \
  ((place) = sizeof(place) == 8 ? read_u64((address) + (offset)) : read_u32((address) + (offset)))
#define MEMBER(type, address, struct_type, offset) read_##type((address) + (offset))
struct sched_figures {
  u64 slices;
  u64 run_delay_ns;
};
static __always_inline struct sched_figures sched_figures_of(u64 task)
{
  struct sched_figures s = {read_u64(task + OFFSET_TASK_SCHED_INFO),
                            read_u64(task + OFFSET_TASK_SCHED_INFO + 8)};
  return s;
}
static __always_inline struct sched_figures current_sched_figures(void)
{
  return sched_figures_of(bpf_get_current_task());
}
#endif
