/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bcc's helper header compares LINUX_VERSION_CODE; the probes themselves never do. */
#define LINUX_VERSION_CODE 0x06060c
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))
