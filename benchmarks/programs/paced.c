/* SPDX-License-Identifier: Apache-2.0 */
/* paced PORT CONNECTIONS REQUESTS RATE keep|close: HTTP requests at a low rate.
 *
 * Each asks for an answer that takes /MICROSECONDS, a log-normal number. Waits for a byte on stdin,
 * prints the nanoseconds of each request from its send() to the answer's first byte, and waits for
 * the end of stdin. A connection rests for an exponential time between an answer and its next
 * request.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MEDIAN_US 2000
#define SPREAD 0.8
#define MOST_US 100000
#define SECOND 1000000000ull

typedef unsigned long long u64;

struct connection {
	int fd;
	int under_way;
	u64 sent_ns, due_ns;
	int answered, have, want;
	char answer[4096];
};

static u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static u64 rest(double rate)
{
	return -log(1 - drand48()) / rate * SECOND;
}

static int delay_us(void)
{
	double normal = sqrt(-2 * log(1 - drand48())) * cos(2 * M_PI * drand48());
	double us = MEDIAN_US * exp(SPREAD * normal);

	return us < MOST_US ? us : MOST_US;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void begin(struct connection *one, int poll, const struct sockaddr_in *to, int keep)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
	char request[200];
	int length, yes = 1;

	if (one->fd < 0) {
		one->fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
		if (connect(one->fd, (const struct sockaddr *)to, sizeof *to))
			fail("connect");
		epoll_ctl(poll, EPOLL_CTL_ADD, one->fd, &event);
	}
	length = snprintf(request, sizeof request, "GET /%d HTTP/1.1\r\nHost: x\r\n%s\r\n",
			  delay_us(), keep ? "" : "Connection: close\r\n");
	one->under_way = 1;
	one->answered = one->have = 0;
	one->want = -1;
	one->sent_ns = now();
	if (send(one->fd, request, length, MSG_NOSIGNAL) != length)
		fail("send");
}

/* Whether the answer is complete. */
static int take(struct connection *one)
{
	long got = recv(one->fd, one->answer + one->have, sizeof one->answer - 1 - one->have, 0);
	char *end, *length;

	if (got <= 0) {
		if (one->under_way && !one->answered) {
			fprintf(stderr, "a request was not answered\n");
			exit(1);
		}
		close(one->fd);
		one->fd = -1;
		return one->under_way;
	}
	if (!one->answered)
		printf("%llu\n", now() - one->sent_ns);
	one->answered = 1;
	one->have += got;
	one->answer[one->have] = 0;
	end = strstr(one->answer, "\r\n\r\n");
	length = strcasestr(one->answer, "content-length:");
	if (end && length)
		one->want = end + 4 - one->answer + atoi(length + 15);
	return one->want >= 0 && one->have >= one->want;
}

static int soonest_ms(const struct connection *all, int count)
{
	u64 next = now() + SECOND, at = now();

	for (int i = 0; i < count; i++)
		if (!all[i].under_way && all[i].due_ns < next)
			next = all[i].due_ns;
	return next > at ? (next - at) / 1000000 + 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;

	int count = atoi(argv[2]), requests = atoi(argv[3]), keep = !strcmp(argv[5], "keep");
	double rate = atof(argv[4]) / count;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
	struct connection *all = calloc(count, sizeof *all);
	struct epoll_event events[64];
	int poll = epoll_create1(0), done = 0, asked = 0;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	srand48(1009);
	if (read(0, events, 1) != 1)
		return 1;
	for (int i = 0; i < count; i++) {
		all[i].fd = -1;
		all[i].due_ns = now() + rest(rate);
	}
	while (done < requests) {
		int ready;

		for (int i = 0; i < count; i++)
			if (!all[i].under_way && all[i].due_ns <= now() && asked < requests) {
				begin(&all[i], poll, &to, keep);
				asked++;
			}
		ready = epoll_wait(poll, events, 64, soonest_ms(all, count));
		for (int i = 0; i < ready; i++) {
			struct connection *one = events[i].data.ptr;

			if (!take(one))
				continue;
			one->under_way = 0;
			one->due_ns = now() + rest(rate);
			done++;
			if (!keep && one->fd >= 0) {
				close(one->fd);
				one->fd = -1;
			}
		}
	}
	fflush(stdout);
	while (read(0, events, 1) > 0)
		;
	return 0;
}
