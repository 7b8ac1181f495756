/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who listens: by which connections that nobody has accepted yet are known to be ours. */

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10

/* Who accepts on this TCP port: slot + 1, NOBODY (yet), or 0: no tracked thread. */
static __always_inline u32 listener_of(u32 port)
{
  u32 *who = listening_ports.lookup(&port);
  return who && *who != OTHERS ? *who : 0;
}

/* Any process listens there. A connection that has this local port was accepted. */
static __always_inline int is_listened_on(u32 port)
{
  u32 *who = listening_ports.lookup(&port);
  return who && *who;
}

/* connect(2) has chosen the socket's port (__inet_hash_connect(), net/ipv4/inet_hashtables.c), so it
 * was not accepted. */
static __always_inline int bound_by_connect(u64 sock)
{
#if HAVE_BIND_BUCKET
  u64 bucket = read_u64(sock + OFFSET_SOCK_BIND_BUCKET);
  return bucket && (s8)read_u8(bucket + OFFSET_BIND_BUCKET_REUSE) < 0;
#else
  return 1;
#endif
}

/* Names the listener of an accepted unix socket, which shares its address. 0: it has none. */
static __always_inline u32 unix_listener(u64 sock)
{
#if HAVE_UNIX
  u64 address = sock ? read_u64(sock + OFFSET_UNIX_ADDR) : 0;
  return address >> 4;
#else
  return 0;
#endif
}

static __always_inline u64 unix_peer(u64 sock)
{
#if HAVE_UNIX
  return read_u64(sock + OFFSET_UNIX_PEER);
#else
  return 0;
#endif
}

/* The path of a unix socket. The name of one that is no file (abstract) begins with @. */
static __always_inline void unix_path(char *path, u64 sock)
{
#if HAVE_UNIX
  u64 address = sock ? read_u64(sock + OFFSET_UNIX_ADDR) : 0;
  u64 bytes = address ? read_u32(address + OFFSET_UNIX_ADDRESS_LEN) - sizeof(u16) : 0;
  asm volatile("" : "+r"(bytes)); /* keeps clang from moving the bound away from the call */
  bytes &= UNIX_PATH_BYTES - 1;   /* 110 at most */
  if (!bytes)
    return;
  read_kernel_memory(path, bytes, (void *)(address + OFFSET_UNIX_ADDRESS_NAME + sizeof(u16)));
  if (!path[0])
    path[0] = '@';
#endif
}

/* A listening socket is accepted on. */
static __always_inline void listen_on(struct descriptor *d, u32 slot)
{
  u32 port = d->local_port, who = slot + 1, *last;
  if (d->kind == KIND_UNIX) {
    port = unix_listener(d->sock);
    last = unix_listeners.lookup(&port);
    if (!last || *last != who)
      unix_listeners.update(&port, &who);
    return;
  }
  last = port ? listening_ports.lookup(&port) : NULL;
  if (last && *last != who)
    *last = who;
}
