/* SPDX-License-Identifier: Apache-2.0 */
/* A real-time task that preempts whatever runs on its CPU, two thousand times a second. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
  struct sched_param priority = {.sched_priority = 10};
  struct timespec pause = {0, 400000};
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &cpu);
  if (sched_setaffinity(0, sizeof(cpu), &cpu) || sched_setscheduler(0, SCHED_FIFO, &priority))
    return 1;
  for (;;) {
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    for (volatile int i = 0; i < 400; i++)
      ;
  }
}
