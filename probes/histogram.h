/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Log-linear histograms: 8 buckets per power of two from 64 ns to 68.7 s, so that the middle of a
 * bucket is within 6.3 % of every value in it. The unit tests compile this file natively.
 * iotrace/snapshot/histogram.py has the inverse.
 */
#ifndef IOTRACE_HISTOGRAM_H
#define IOTRACE_HISTOGRAM_H

#define HISTOGRAM_FIRST_OCTAVE 6
#define HISTOGRAM_LAST_OCTAVE 35
#define HISTOGRAM_SUB_BITS 3
#define HISTOGRAM_BUCKETS \
  ((HISTOGRAM_LAST_OCTAVE - HISTOGRAM_FIRST_OCTAVE + 1) << HISTOGRAM_SUB_BITS)
/* Histograms of descriptors and of the phases of a call are coarser, because there are many: 4
 * buckets per power of two, within 12.5 %. */
#define PICKUP_SHIFT 1
#define PICKUP_BUCKETS (HISTOGRAM_BUCKETS >> PICKUP_SHIFT)
#define PHASE_SHIFT PICKUP_SHIFT
#define PHASE_BUCKETS (HISTOGRAM_BUCKETS >> PHASE_SHIFT)
/* Those of slow calls by line are coarser again: 2 buckets per power of two, within 25 %. */
#define LINE_SHIFT 2
#define LINE_BUCKETS (HISTOGRAM_BUCKETS >> LINE_SHIFT)
/* Those of exchanges are finer, because they are few: 16 buckets, within 3.2 %. */
#define FINE_SUB_BITS (HISTOGRAM_SUB_BITS + 1)
#define FINE_BUCKETS (HISTOGRAM_BUCKETS << 1)

/* The power of two of 2^6 to 2^36 - 1, by bisection: comparisons with constants take fewer
 * instructions than shifts. */
#define HISTOGRAM_OF_2(v, low) ((v) < 1ULL << ((low) + 1) ? (low) : (low) + 1)
#define HISTOGRAM_OF_4(v, low) \
  ((v) < 1ULL << ((low) + 2) ? HISTOGRAM_OF_2(v, low) : HISTOGRAM_OF_2(v, (low) + 2))
#define HISTOGRAM_OF_8(v, low) \
  ((v) < 1ULL << ((low) + 4) ? HISTOGRAM_OF_4(v, low) : HISTOGRAM_OF_4(v, (low) + 4))
#define HISTOGRAM_OF_16(v, low) \
  ((v) < 1ULL << ((low) + 8) ? HISTOGRAM_OF_8(v, low) : HISTOGRAM_OF_8(v, (low) + 8))
#define HISTOGRAM_OCTAVE(v)                                                      \
  ((v) < 1ULL << (HISTOGRAM_FIRST_OCTAVE + 16)                                   \
       ? HISTOGRAM_OF_16(v, HISTOGRAM_FIRST_OCTAVE)                              \
       : (v) < 1ULL << (HISTOGRAM_FIRST_OCTAVE + 24)                             \
             ? HISTOGRAM_OF_8(v, HISTOGRAM_FIRST_OCTAVE + 16)                    \
             : (v) < 1ULL << (HISTOGRAM_FIRST_OCTAVE + 28)                       \
                   ? HISTOGRAM_OF_4(v, HISTOGRAM_FIRST_OCTAVE + 24)              \
                   : HISTOGRAM_OF_2(v, HISTOGRAM_FIRST_OCTAVE + 28))

static inline __attribute__((always_inline)) unsigned int log_linear(unsigned long long ns,
                                                                    unsigned int sub_bits)
{
  unsigned int octave;
  if (ns < (1ULL << HISTOGRAM_FIRST_OCTAVE))
    return 0;
  if (ns >> (HISTOGRAM_LAST_OCTAVE + 1))
    return ((HISTOGRAM_LAST_OCTAVE - HISTOGRAM_FIRST_OCTAVE + 1) << sub_bits) - 1;
  octave = HISTOGRAM_OCTAVE(ns);
  return ((octave - HISTOGRAM_FIRST_OCTAVE) << sub_bits) +
         ((ns >> (octave - sub_bits)) & ((1 << sub_bits) - 1));
}

static inline __attribute__((always_inline)) unsigned int histogram_bucket(unsigned long long ns)
{
  return log_linear(ns, HISTOGRAM_SUB_BITS);
}

static inline __attribute__((always_inline)) unsigned int fine_bucket(unsigned long long ns)
{
  return log_linear(ns, FINE_SUB_BITS);
}

#endif
