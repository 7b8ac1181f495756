/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the probes use of bcc's prelude (bcc/bpf.h and bcc/helpers.h, 8,000 lines), which bcc would
 * otherwise read three times: a sixth of the time that compiling takes. bcc turns the methods of
 * tables into calls of the names that end in _. Numbers and structs are those of
 * include/uapi/linux/bpf.h. Where this file does not compile, bcc's own prelude is used
 * (iotrace/engine/compiler.py).
 */
#ifndef IOTRACE_PRELUDE_H
#define IOTRACE_PRELUDE_H
#include <asm/page.h>
#include <linux/types.h>

#define BCC_SEC(name) __attribute__((section(name), used))
#define BPF_ANY 0
#define BPF_NOEXIST 1
#define BPF_RB_NO_WAKEUP 1

struct bpf_raw_tracepoint_args {
  u64 args[0];
};

#define HELPER(number, result, name, ...) static result (*name)(__VA_ARGS__) = (void *)(number)
#define BPF_FUNC_tail_call 12
#define BPF_FUNC_probe_read_user 112
#define BPF_FUNC_probe_read_user_str 114
#define BPF_FUNC_probe_read_kernel 113
#define BPF_FUNC_probe_read_kernel_str 115
HELPER(1, void *, bpf_map_lookup_elem, void *map, void *key);
HELPER(2, int, bpf_map_update_elem, void *map, void *key, void *value, u64 flags);
HELPER(3, int, bpf_map_delete_elem, void *map, void *key);
HELPER(5, u64, bpf_ktime_get_ns, void);
HELPER(14, u64, bpf_get_current_pid_tgid, void);
HELPER(16, int, bpf_get_current_comm, void *to, int bytes);
HELPER(35, u64, bpf_get_current_task, void);
HELPER(88, int, bpf_map_pop_elem, void *map, void *value);
HELPER(130, int, bpf_ringbuf_output, void *ring, void *data, u64 bytes, u64 flags);
HELPER(158, void *, bpf_get_current_task_btf, void);
HELPER(175, void *, bpf_task_pt_regs, void *task);

u64 bpf_pseudo_fd(u64, u64) asm("llvm.bpf.pseudo");

static __always_inline void *bpf_map_lookup_elem_(uintptr_t map, void *key)
{
  return bpf_map_lookup_elem((void *)map, key);
}

static __always_inline int bpf_map_update_elem_(uintptr_t map, void *key, void *value, u64 flags)
{
  return bpf_map_update_elem((void *)map, key, value, flags);
}

static __always_inline int bpf_map_delete_elem_(uintptr_t map, void *key)
{
  return bpf_map_delete_elem((void *)map, key);
}

/* bcc passes the map as a number or as a pointer, depending on its version. */
#define bpf_tail_call_(map, ctx, index) \
  ((void (*)(void *, u64, int))BPF_FUNC_tail_call)(ctx, (u64)(map), index)

/* The macros by which tables are declared; the two that these end in are in tables.h. */
#define BPF_TABLE(type, key, leaf, name, entries) BPF_F_TABLE(type, key, leaf, name, entries, 0)
#define BPF_HASH(name, key, leaf, entries) BPF_TABLE("hash", key, leaf, name, entries)
#define BPF_ARRAY(name, leaf, entries) BPF_TABLE("array", int, leaf, name, entries)
#define BPF_PERCPU_ARRAY(name, leaf, entries) BPF_TABLE("percpu_array", int, leaf, name, entries)
#define BPF_PROG_ARRAY(name, entries) BPF_TABLE("prog", u32, u32, name, entries)
#define BPF_QUEUE(name, leaf, entries) BPF_QUEUESTACK("queue", name, leaf, entries, 0)
#define BPF_RINGBUF_OUTPUT(name, pages)                                               \
  struct name##_table_t {                                                             \
    int key;                                                                          \
    u32 leaf;                                                                         \
    int (*ringbuf_output)(void *, u64, u64);                                          \
    u32 max_entries;                                                                  \
  };                                                                                  \
  __attribute__((section("maps/ringbuf"))) static struct name##_table_t name = {      \
    .max_entries = (pages) * PAGE_SIZE                                                \
  }
#endif
