/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a descriptor number is: through current's fd table to the file, its inode and its socket.
 * Offsets (OFFSET_*) are those of the running kernel, from its BTF. The whole look-up runs when a
 * number is used for the first time and after it was closed.
 */
struct object {
  u64 inode;
  u64 sock;
  u32 kind;
  u32 open_flags;
  u32 family;
  u32 local_port;
  u32 peer_port;
  u8 local[16];
  u8 peer[16];
};

/* include/uapi/linux/stat.h */
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
/* include/linux/socket.h, include/linux/net.h */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
/* include/uapi/linux/major.h; MINORBITS of include/linux/kdev_t.h */
#define TTY_MAJOR 4
#define TTYAUX_MAJOR 5
#define UNIX98_PTY_SLAVE_MAJOR 136
#define UNIX98_PTY_MAJOR_COUNT 8
#define MINORBITS 20

static __always_inline u16 swap16(u16 value)
{
  return (u16)((value << 8) | (value >> 8));
}

/* The struct file behind current's descriptor, 0: the number is not open. */
static __always_inline u64 file_of(u32 fd)
{
  u64 files, table, array;
  u32 size;
#if HAVE_CAST
  /* Of a pointer that it trusts the verifier asks whether its member can be trusted, which takes
   * searches through the names of all of the kernel's types. */
  files = MEMBER(u64, bpf_get_current_task(), TYPE_TASK_STRUCT, OFFSET_TASK_FILES);
#else
  LOAD("u64", files, (u64)bpf_get_current_task_btf(), OFFSET_TASK_FILES);
#endif
  if (!files)
    return 0;
  LOAD("u64", table, files, OFFSET_FILES_FDT);
  LOAD("u32", size, table, OFFSET_FDT_MAX_FDS);
  if (fd >= size)
    return 0;
  LOAD("u64", array, table, OFFSET_FDT_FD);
#if HAVE_CAST
  /* The array has no type, so its element is read as if it were the member fd of a struct
   * fdtable. */
  return MEMBER(u64, array + 8 * (u64)fd - OFFSET_FDT_FD, TYPE_FDTABLE, OFFSET_FDT_FD);
#else
  return read_u64(array + 8 * (u64)fd);
#endif
}

/* The inode number of a file. Each socket has its own. */
static __always_inline u64 inode_number(u64 file)
{
  u64 number = 0, inode;
  if (!file)
    return 0;
#if HAVE_CAST
  file = cast(file, TYPE_FILE);
  LOAD("u64", inode, file, OFFSET_FILE_INODE);
  LOAD("u64", number, inode, OFFSET_INODE_INO);
#else
  inode = read_u64(file + OFFSET_FILE_INODE);
  number = read_u64(inode + OFFSET_INODE_INO);
#endif
  return number;
}

/* The port at the other end of a TCP connection. */
static __always_inline u16 peer_port_of(u64 sock)
{
  return swap16(MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_DPORT));
}

static __always_inline void read_peer(u8 *peer, u64 sock, u32 family)
{
  if (family == AF_INET)
    *(u32 *)peer = MEMBER(u32, sock, TYPE_SOCK, OFFSET_SOCK_DADDR);
#if HAVE_IPV6
  else if (family == AF_INET6)
    read_kernel_memory(peer, 16, (void *)(sock + OFFSET_SOCK_V6_DADDR));
#endif
}

static __always_inline void read_addresses(u64 sock, struct object *o)
{
  o->family = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_FAMILY);
  if (o->family != AF_INET && o->family != AF_INET6)
    return;
  o->local_port = MEMBER(u16, sock, TYPE_SOCK, OFFSET_SOCK_NUM);
  o->peer_port = peer_port_of(sock);
  if (o->family == AF_INET)
    *(u32 *)o->local = MEMBER(u32, sock, TYPE_SOCK, OFFSET_SOCK_RCV_SADDR);
#if HAVE_IPV6
  else
    read_kernel_memory(o->local, 16, (void *)(sock + OFFSET_SOCK_V6_RCV_SADDR));
#endif
  read_peer(o->peer, sock, o->family);
}

static __always_inline u32 socket_kind(u32 family, u16 type)
{
  if (family == AF_UNIX)
    return KIND_UNIX;
  if (family == AF_NETLINK)
    return KIND_NETLINK;
  if (family == AF_INET || family == AF_INET6) {
    if (type == SOCK_STREAM)
      return KIND_TCP;
    if (type == SOCK_DGRAM)
      return KIND_UDP;
  }
  return KIND_SOCKET;
}

/* Anonymous inodes are told apart by the names of their files, "[eventfd]", "[eventpoll]", ...
 * (the callers of anon_inode_getfile and anon_inode_getfd, as of Linux 7.2; inotify has none). */
static __always_inline u32 anonymous_kind(u64 file)
{
  char name[12] = {};
  u64 dentry = read_u64(file + OFFSET_FILE_DENTRY);
  u64 text = read_u64(dentry + OFFSET_DENTRY_NAME);
  read_kernel_text(name, sizeof(name), (void *)text);
  if (name[0] == 'i')
    return KIND_INOTIFY;
  if (name[0] != '[')
    return KIND_ANON;
  if (name[1] == 'e' && name[6] == 'f')
    return KIND_EVENTFD;
  if (name[1] == 'e' && name[6] == 'p')
    return KIND_EPOLL;
  if (name[1] == 't')
    return KIND_TIMERFD;
  if (name[1] == 's')
    return KIND_SIGNALFD;
  if (name[1] == 'p' && name[2] == 'i')
    return KIND_PIDFD;
  if (name[1] == 'i' && name[2] == 'o')
    return KIND_IO_URING;
  return KIND_ANON;
}

/* Fill o for current's descriptor; kind is KIND_NONE where the number is not open. */
static __always_inline void resolve(u32 fd, struct object *o)
{
  u64 file = file_of(fd), inode; /* of a socket it is a member of its struct socket_alloc */
  u32 type, major;
  o->kind = KIND_NONE;
  if (!file)
    return;
  inode = MEMBER(u64, file, TYPE_FILE, OFFSET_FILE_INODE);
  o->open_flags = MEMBER(u32, file, TYPE_FILE, OFFSET_FILE_FLAGS);
  inode -= OFFSET_SOCKET_ALLOC_INODE;
  o->inode = MEMBER(u64, inode, TYPE_SOCKET_ALLOC, OFFSET_SOCKET_ALLOC_INODE + OFFSET_INODE_INO);
  type = MEMBER(u16, inode, TYPE_SOCKET_ALLOC, OFFSET_SOCKET_ALLOC_INODE + OFFSET_INODE_MODE) & S_IFMT;
  if (type == S_IFSOCK) {
    /* By a helper: a number, which the verifier lets us multiply. */
    o->sock = read_u64(inode + OFFSET_SOCKET_ALLOC_SOCKET + OFFSET_SOCKET_SK);
    read_addresses(o->sock, o);
    o->kind = socket_kind(o->family, MEMBER(u16, inode, TYPE_SOCKET_ALLOC,
                                            OFFSET_SOCKET_ALLOC_SOCKET + OFFSET_SOCKET_TYPE));
  } else if (type == S_IFREG) {
    o->kind = KIND_FILE;
  } else if (type == S_IFIFO) {
    o->kind = KIND_PIPE;
  } else if (type == S_IFDIR) {
    o->kind = KIND_DIR;
  } else if (type == S_IFBLK) {
    o->kind = KIND_BLOCK;
  } else if (type == S_IFCHR) {
    major = MEMBER(u32, inode, TYPE_SOCKET_ALLOC, OFFSET_SOCKET_ALLOC_INODE + OFFSET_INODE_RDEV) >>
            MINORBITS;
    o->kind = major == TTY_MAJOR || major == TTYAUX_MAJOR ||
                      (major >= UNIX98_PTY_SLAVE_MAJOR &&
                       major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT)
                  ? KIND_TTY
                  : KIND_CHAR;
  } else if (type == 0) {
    o->kind = anonymous_kind(file);
  } else {
    o->kind = KIND_ANON;
  }
}

static __always_inline u32 generation_slot(u32 pid, u32 fd)
{
  return (pid * 0x9e3779b1u + fd) & (GENERATIONS - 1);
}

/* The number may be another object from now on. */
static __always_inline void invalidate_descriptor(u32 pid, u32 fd)
{
  u32 key = generation_slot(pid, fd);
  u32 *generation = generations.lookup(&key);
  if (generation)
    __sync_fetch_and_add(generation, 1);
}

/* Every number of the thread's process may be another object from now on. */
static __always_inline void invalidate_descriptors(struct thread *t)
{
  t->exec_generation++;
  t->last_descriptor = 0;
}

/* close_range(2). Programs close larger ranges than MAX_RANGE before they open anything, and most
 * of those numbers are not open. The thread itself looks up every number anew; its other threads
 * would miss a change beyond MAX_RANGE. */
#define MAX_RANGE 128
static __always_inline void invalidate_range(struct thread *t, u32 first, u32 last)
{
  invalidate_descriptors(t);
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < MAX_RANGE; i++) {
    if (first + i > last)
      break;
    invalidate_descriptor(t->pid, first + i);
  }
}
