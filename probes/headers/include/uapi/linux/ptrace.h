/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef IOTRACE_PTRACE_H
#define IOTRACE_PTRACE_H
/* Saved registers, as in arch/x86/include/asm/ptrace.h and arch/arm64/include/uapi/asm/ptrace.h.
 * bcc's helper header names the members; the probes read them at offsets given by -D. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
struct user_pt_regs {
  unsigned long long regs[31], sp, pc, pstate;
};
struct pt_regs {
  union {
    struct user_pt_regs user_regs;
    struct {
      unsigned long long regs[31], sp, pc, pstate;
    };
  };
  unsigned long long orig_x0;
};
#else
struct pt_regs {
  unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
  unsigned long ip, cs, flags, sp, ss;
};
#endif
#endif
