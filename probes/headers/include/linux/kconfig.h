/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The probes need only this much of a kernel tree: fixed-width types and bcc's helper
 * declarations. Kernel structs are read at offsets from the running kernel's own BTF. */
#define CONFIG_BPF 1
#define CONFIG_BPF_SYSCALL 1
#define CONFIG_BPF_EVENTS 1
