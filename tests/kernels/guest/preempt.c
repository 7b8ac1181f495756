/* SPDX-License-Identifier: Apache-2.0 */
/* A real-time task that preempts whatever runs on its CPU, two thousand times a second; fewer
 * where that would take more than a fifth of the CPU, as on an emulated one.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define SHORTEST_NS 400000L
#define SHARE 4

static long now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

int main(int argc, char **argv)
{
  struct sched_param priority = {.sched_priority = 10};
  long pause_ns = SHORTEST_NS;
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &cpu);
  if (sched_setaffinity(0, sizeof(cpu), &cpu) || sched_setscheduler(0, SCHED_FIFO, &priority))
    return 1;
  for (;;) {
    struct timespec pause = {pause_ns / 1000000000L, pause_ns % 1000000000L};
    long began_ns = now_ns(), spent_ns;
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    for (volatile int i = 0; i < 400; i++)
      ;
    spent_ns = now_ns() - began_ns - pause_ns; /* with the wake-up, which the CPU pays for, too */
    pause_ns = SHARE * spent_ns > SHORTEST_NS ? SHARE * spent_ns : SHORTEST_NS;
  }
}
