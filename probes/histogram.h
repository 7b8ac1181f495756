/* Log-linear histograms: 8 buckets an octave from 64 ns to 68.7 s, so that the middle of a
 * bucket is within 6.3 % of every value in it. Plain C: the unit tests compile it natively.
 * iotrace/snapshot/histogram.py holds the inverse.
 */
#ifndef IOTRACE_HISTOGRAM_H
#define IOTRACE_HISTOGRAM_H

#define HISTOGRAM_FIRST_OCTAVE 6
#define HISTOGRAM_LAST_OCTAVE 35
#define HISTOGRAM_SUB_BITS 3
#define HISTOGRAM_BUCKETS \
  ((HISTOGRAM_LAST_OCTAVE - HISTOGRAM_FIRST_OCTAVE + 1) << HISTOGRAM_SUB_BITS)
/* Those of descriptors, and of the phases of a call, are coarser (4 buckets an octave, within
 * 12.5 %): there are many. */
#define PICKUP_SHIFT 1
#define PICKUP_BUCKETS (HISTOGRAM_BUCKETS >> PICKUP_SHIFT)
#define PHASE_SHIFT PICKUP_SHIFT
#define PHASE_BUCKETS (HISTOGRAM_BUCKETS >> PHASE_SHIFT)

static inline __attribute__((always_inline)) unsigned int histogram_octave(unsigned long long v)
{
  unsigned int octave = 0;
  if (v >> 32) {
    octave += 32;
    v >>= 32;
  }
  if (v >> 16) {
    octave += 16;
    v >>= 16;
  }
  if (v >> 8) {
    octave += 8;
    v >>= 8;
  }
  if (v >> 4) {
    octave += 4;
    v >>= 4;
  }
  if (v >> 2) {
    octave += 2;
    v >>= 2;
  }
  return octave + (v >> 1);
}

static inline __attribute__((always_inline)) unsigned int histogram_bucket(unsigned long long ns)
{
  unsigned int octave;
  if (ns < (1ULL << HISTOGRAM_FIRST_OCTAVE))
    return 0;
  if (ns >> (HISTOGRAM_LAST_OCTAVE + 1))
    return HISTOGRAM_BUCKETS - 1;
  octave = histogram_octave(ns);
  return ((octave - HISTOGRAM_FIRST_OCTAVE) << HISTOGRAM_SUB_BITS) +
         ((ns >> (octave - HISTOGRAM_SUB_BITS)) & ((1 << HISTOGRAM_SUB_BITS) - 1));
}

#endif
