/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The records of exchanges, as records.h. Plain structs, flat on purpose.
 *
 * An exchange is one request and its answer on an accepted stream socket, or, on a connected one, a
 * query and its answer: a call upstream. See exchanges.c.
 */
#ifndef IOTRACE_EXCHANGES_H
#define IOTRACE_EXCHANGES_H
#include "histogram.h"

/* Records share no cache line, however many members the reasons to wait (WAITS) make. */
#define CACHE_LINE_BYTES 64
#define LINES_OF_ITS_OWN __attribute__((aligned(CACHE_LINE_BYTES)))

/* What an exchange's time is split into: the states of the thread that serves it. ELSEWHERE: no
 * thread has it yet, or another one than the one that is known. */
#define PART_USER 0
#define PART_KERNEL 1
#define PART_COPY 2
#define CPU_PARTS 3 /* those above: of a thread that has a CPU */
#define PART_RUNQ 3
#define PART_UNACCOUNTED 4
#define PART_WAIT 5 /* the first of WAITS reasons */
#define PART_ELSEWHERE (PART_WAIT + WAITS)
#define SUMS PART_ELSEWHERE /* parts of which a thread has a sum */
#define PARTS (PART_ELSEWHERE + 1)
#define OFF_CPU_SUMS (SUMS - CPU_PARTS)
#define OFF_CPU_PARTS (PARTS - CPU_PARTS)

/* Exchanges are summed up by latency in tiers: one for all buckets of the histogram below
 * TIER_FIRST_BUCKET, one for each TIER_BUCKETS above. */
/* A shorter query may be a farewell (close_notify of TLS, QUIT) that nobody answers. */
#define FAREWELL_BYTES 64
#define UNIX_PATH_BYTES 128 /* sun_path of unix(7) has 108 */
#define TIERS ((FINE_BUCKETS - TIER_FIRST_BUCKET) / TIER_BUCKETS + 1)

/* The exchange in progress on one connection. Written by the thread that has the connection and by
 * the softirq that brings data, on whatever CPU. No record with a sequence counter: see exchanges.c.
 *
 * While a thread keeps its CPU only three of its sums move, so those off the CPU are copied and
 * subtracted only if its count of their charges has moved, too.
 */
struct exchange {
  /* The line that the softirq writes. */
  u32 role;     /* ROLE_* */
  u32 slot;     /* + 1: the thread that used the connection last */
  u32 base_tid; /* whose sums at[], read[] and base[] are, 0: none */
  u32 base_charges; /* its count of charges when base[] was taken */
  u64 phase;    /* PHASE_* */
  u64 sock;     /* 0: not in use */
  u64 since_ns; /* first arrival of data that is not read yet, 0: none */
  u64 at[CPU_PARTS]; /* sums of when it arrived, or was accepted after that */
  /* The second line. */
  u64 of;         /* sock once more, for the thread: it need not look at the first line */
  u64 last_ns;    /* latest arrival, where data had been lying there already */
  u64 arrived_ns; /* of a request or an answer that was read, 0: not seen */
  u64 read_ns;    /* server: end of the first read; client: the last write of the query */
  u64 read[CPU_PARTS]; /* sums then */
  u32 endpoint;   /* index + 1 */
  u32 generation; /* of the endpoint */
  /* The third. */
  u32 unasked;    /* writes since the arrival that is not read yet */
  u16 last_bucket; /* of its last byte, + 1; 0: no answer has been written since the arrival */
  u8 unknown;     /* the split of its time is not known */
  u8 off_cpu;     /* OFF_CPU_*: there are such parts */
  u64 scratch;    /* see unbounded_number() */
  u64 written_ns; /* server: end of the last write of an answer */
  u64 accepted_ns; /* 0: it was accepted before its first data came */
  u64 began_ns;   /* the connection: in the accept queue, or connecting; 0: not seen */
  u32 port;       /* TCP: that the connection came in on, until it is accepted */
  u16 asleep_number; /* without wake-ups: the sleep that at[] and base[] were taken in, or just after */
  u8 asleep_class;   /* its reason, and how much of it was taken; 0: nothing that has yet to be split */
  u8 asks;           /* client: a query of more than a few words has been written */
  /* Parts off the CPU. */
  u64 base[OFF_CPU_SUMS];    /* sums at the arrival; once it is read, at the read */
  u64 pickup[OFF_CPU_PARTS]; /* signed, as service */
  u64 service[OFF_CPU_PARTS];
  u64 asleep_ns;
} LINES_OF_ITS_OWN;
#define OFF_CPU_PICKUP 1
#define OFF_CPU_SERVICE 2

/* All exchanges of one process on one listening socket, or with one peer. Several threads write:
 * either with the record locked (busy), or into its overflow, a second record that takes atomic
 * additions; members that are written otherwise say so. seq never changes. */
struct endpoint {
  /* Every exchange, in one cache line. */
  u32 seq;
  u32 generation; /* of what this record is used for: counts up when it is used again */
  u32 pid;
  u32 overflow; /* index + 1 */
  u64 busy;
  u64 latency_max_ns;
  u64 pickup_max_ns;
  u64 service_max_ns;
  u64 slowest_ns; /* an exemplar must take longer */
  u64 last_byte_max_ns; /* atomic */

  u64 handed_over; /* read by another thread than the one that had the connection; atomic, as the next */
  u64 accepted;    /* connections */
  u64 undated;     /* exchanges whose data had come before anybody looked */
  u64 unasked;     /* writes while a request lay there unread: several at once */
  u64 connect_errors;
  u64 cut_off;    /* queries whose connection ended before an answer came; atomic, as the next */
  u64 cut_off_ns; /* from the last write of these until its end was read */
  u64 late;          /* requests on connections that were closed as idle; atomic, as the next two */
  u64 late_idle_ns;  /* of these connections: from their last answer until they were closed */
  u64 late_after_ns; /* and from there until the request came */
  u64 late_at_ns;    /* the latest */
  u64 in_flight; /* calls upstream that wait for an answer */
  u64 in_flight_max;
  u64 setup_max_ns;
  u64 unknown;     /* exchanges whose split is not known; not atomic */
  u32 role;
  u32 kind; /* KIND_TCP or KIND_UNIX */
  u32 family;
  u32 port; /* of the listener, or of the peer */
  u8 address[16]; /* of the peer */
  u32 late_family;
  u8 late_peer[16]; /* of the latest late request */
  char path[UNIX_PATH_BYTES];
  u32 latency[FINE_BUCKETS]; /* server: to the first byte; client: to our read of the answer */
  u32 pickup[FINE_BUCKETS];
  u32 service[FINE_BUCKETS]; /* client: until the answer arrives */
  u64 tiers[TIERS];               /* index + 1 */
  u32 setup[FINE_BUCKETS]; /* of a connection: in the accept queue; client: to connect; atomic */
  u32 last_byte[FINE_BUCKETS]; /* atomic */
} LINES_OF_ITS_OWN;

/* The sums of an endpoint's exchanges of about the same latency. Written as the endpoint. Those that most
 * exchanges have are in one cache line. */
struct tier {
  u32 seq;
  u32 reserved;
  u64 queue_ns;   /* waiting to be accepted; client: until the answer arrived */
  u64 pickup[CPU_PARTS]; /* parts are signed */
  u64 service[CPU_PARTS];
  u64 pickup_off_cpu[OFF_CPU_PARTS];
  u64 service_off_cpu[OFF_CPU_PARTS];
} LINES_OF_ITS_OWN;

/* A slow exchange, and the longest wait in it in a call whose stack was walked. */
struct exemplar {
  u32 seq;
  u32 tid;
  u64 stack; /* 0: there was none */
  u64 call_wait_ns;
  u32 call_nr;
  u32 call_kind;
  u64 arrived_ns; /* 0: this record is not in use */
  u64 latency_ns;
  u64 queue_ns;
  u32 family;
  u32 peer_port;
  u8 peer[16];
  u64 pickup[PARTS];
  u64 service[PARTS];
};

#endif
