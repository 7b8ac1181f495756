/* Preloaded: the wall clock steps at every reading, by hours, days, years. No other clock does. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const long steps_s[] = {3600, -86400, 315360000, -3600, 0};

int clock_gettime(clockid_t clock, struct timespec *now)
{
  static unsigned readings;
  int result = syscall(SYS_clock_gettime, clock, now);
  if (!result && clock == CLOCK_REALTIME)
    now->tv_sec += steps_s[readings++ % 5];
  return result;
}

time_t time(time_t *kept)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (kept)
    *kept = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone)
{
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}
