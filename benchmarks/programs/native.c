/* What must be quicker than Python: a loop of system calls, and loads that saturate a server.
 *
 *   native eagain COUNTER SOCKETS [PER_SECOND]  recv() on empty sockets, round and round
 *   native threads COUNTER SLEEPERS             the same on one, beside threads that sleep in recv()
 *   native processes COUNTER SLEEPERS           the same, beside such processes
 *   native messages COUNTER PORT CONNECTIONS    one message under way on each connection
 *   native requests COUNTER PORT PROCESSES keep|close   HTTP requests, one under way a process
 *
 * Operations are counted in COUNTER, a file of u64s that is mapped: reading it disturbs nobody.
 * COUNTER: see counting.py.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t *counter;

static void fail(const char *what)
{
  perror(what);
  exit(1);
}

static void finish(void)
{
  counter[2] = 1;
  for (;;)
    pause();
}

/* One more operation; waits for the end once all that were asked for are done. */
static void done(void)
{
  uint64_t operations = __sync_add_and_fetch(&counter[0], 1);
  if (counter[1] && operations >= counter[1])
    finish();
}

static void *map_counter(const char *path)
{
  int fd = open(path, O_RDWR);
  void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd < 0 || memory == MAP_FAILED)
    fail(path);
  return memory;
}

static int64_t now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void eagain(int sockets, int64_t per_second)
{
  int *fds = calloc(sockets, sizeof(int));
  int64_t begin, calls = 0;
  char byte;
  for (int i = 0; i < sockets; i++)
    if ((fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) < 0)
      fail("socket");
  while (!counter[3])
    usleep(1000);
  begin = now_ns();
  for (;;) {
    for (int i = 0; i < sockets; i++) {
      if (recv(fds[i], &byte, 1, 0) >= 0 || errno != EAGAIN)
        fail("recv");
      done();
    }
    calls += sockets;
    while (per_second && calls * 1000000000LL > (now_ns() - begin) * per_second)
      ; /* ahead of the clock */
  }
}

static int silent[2];

static void *sleep_in_recv(void *unused)
{
  char byte;
  while (recv(silent[0], &byte, 1, 0) < 0)
    ;
  return unused;
}

static void sleepers(int number, int threads)
{
  pthread_attr_t small;
  pthread_t thread;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, silent))
    fail("socketpair");
  for (int i = 0; i < number; i++) {
    if (threads && pthread_create(&thread, &small, sleep_in_recv, NULL))
      fail("pthread_create");
    if (!threads && !fork())
      sleep_in_recv(NULL);
  }
  eagain(1, 0);
}

static int connect_to(int port)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
    fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return fd;
}

static void messages(int port, int connections)
{
  char text[64] = "ping";
  int *fds = calloc(connections, sizeof(int));
  for (int i = 0; i < connections; i++)
    fds[i] = connect_to(port);
  for (int i = 0; i < connections; i++)
    if (send(fds[i], text, sizeof(text), 0) != sizeof(text))
      fail("send");
  for (;;)
    for (int i = 0; i < connections; i++) {
      if (recv(fds[i], text, sizeof(text), MSG_WAITALL) != sizeof(text))
        fail("recv");
      done();
      if (send(fds[i], text, sizeof(text), 0) != sizeof(text))
        fail("send");
    }
}

static void requests(int port, int keep)
{
  const char *request = keep ? "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                             : "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  char answer[4096];
  int fd = -1;
  for (;;) {
    ssize_t size = 0, more = 1;
    if (fd < 0)
      fd = connect_to(port);
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
      fail("send");
    while (more > 0 && size < (ssize_t)sizeof(answer) - 1) {
      more = recv(fd, answer + size, sizeof(answer) - 1 - size, 0);
      if (more < 0)
        fail("recv");
      size += more;
      answer[size] = 0;
      if (keep && strstr(answer, "\r\n\r\nhello\n"))
        break;
    }
    done();
    if (!keep || more <= 0) {
      close(fd);
      fd = -1;
    }
  }
}

int main(int argc, char **argv)
{
  if (argc < 4)
    return 2;
  counter = map_counter(argv[2]);
  if (!strcmp(argv[1], "eagain"))
    eagain(atoi(argv[3]), argc > 4 ? atoll(argv[4]) : 0);
  if (!strcmp(argv[1], "threads") || !strcmp(argv[1], "processes"))
    sleepers(atoi(argv[3]), !strcmp(argv[1], "threads"));
  if (!strcmp(argv[1], "messages") && argc > 4)
    messages(atoi(argv[3]), atoi(argv[4]));
  if (!strcmp(argv[1], "requests") && argc > 5) {
    for (int i = 1; i < atoi(argv[4]); i++)
      if (!fork())
        break;
    requests(atoi(argv[3]), !strcmp(argv[5], "keep"));
  }
  return 2;
}
