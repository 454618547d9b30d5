/* Preloaded, it makes the clock of the wall jump back and forth by 400 days, every 50 looks at it;
 * the clock that only counts seconds (CLOCK_MONOTONIC) goes on as it does when a clock is set. */
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long jump(void) {
  static long looks = 0;
  return ((__atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED) / 50) % 3 - 1) * 400L * 86400L;
}

int clock_gettime(clockid_t which, struct timespec *now) {
  long failed = syscall(SYS_clock_gettime, which, now);
  if (!failed && which == CLOCK_REALTIME) now->tv_sec += jump();
  return (int)failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (out != NULL) *out = exact.tv_sec;
  return exact.tv_sec;
}
