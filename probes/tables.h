/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Declarations of maps: those of bcc's macros (BPF_TABLE, BPF_HASH and others end in these two),
 * but static. For each map that is not, bcc compiles functions that print and parse its records,
 * which takes a tenth of a second in all and which nothing calls. Members are the methods in
 * use. */
#undef BPF_F_TABLE
#define BPF_F_TABLE(_type, _key, _leaf, _name, _entries, _flags) \
  struct _name##_table_t { \
    _key key; \
    _leaf leaf; \
    _leaf *(*lookup)(_key *); \
    int (*update)(_key *, _leaf *); \
    int (*insert)(_key *, _leaf *); \
    int (*delete)(_key *); \
    void (*call)(void *, int index); \
    u32 max_entries; \
    int flags; \
  }; \
  __attribute__((section("maps/" _type))) static struct _name##_table_t _name = { \
    .flags = (_flags), .max_entries = (_entries) \
  }

#undef BPF_QUEUESTACK
#define BPF_QUEUESTACK(_type, _name, _leaf, _entries, _flags) \
  struct _name##_table_t { \
    _leaf leaf; \
    int *(*pop)(_leaf *); \
    u32 max_entries; \
    int flags; \
  }; \
  __attribute__((section("maps/" _type))) static struct _name##_table_t _name = { \
    .flags = (_flags), .max_entries = (_entries) \
  }
