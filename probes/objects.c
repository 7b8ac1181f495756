/* What a descriptor number is: walk current's file table to the file, its inode, its socket.
 * Offsets (OFFSET_*) are of the running kernel, from its BTF. Runs on first use of a number
 * and after it was closed, never on the hot path.
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

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define TTY_MAJOR 4
#define TTYAUX_MAJOR 5
#define PTY_MAJOR_FIRST 136
#define PTY_MAJOR_LAST 143
#define MAX_RANGE 128

static __always_inline u64 read_u64(u64 address)
{
  u64 value = 0;
  read_kernel_memory(&value, sizeof(value), (void *)address);
  return value;
}

static __always_inline u32 read_u32(u64 address)
{
  u32 value = 0;
  read_kernel_memory(&value, sizeof(value), (void *)address);
  return value;
}

static __always_inline u16 read_u16(u64 address)
{
  u16 value = 0;
  read_kernel_memory(&value, sizeof(value), (void *)address);
  return value;
}

static __always_inline u16 swap16(u16 value)
{
  return (u16)((value << 8) | (value >> 8));
}

static __always_inline u64 file_of(u32 fd)
{
  u64 files = read_u64(bpf_get_current_task() + OFFSET_TASK_FILES);
  u64 table = files ? read_u64(files + OFFSET_FILES_FDT) : 0;
  if (!table || fd >= read_u32(table + OFFSET_FDT_MAX_FDS))
    return 0;
  return read_u64(read_u64(table + OFFSET_FDT_FD) + 8 * (u64)fd);
}

/* The number of the inode behind current's descriptor: a socket's is its own. */
static __always_inline u64 inode_of(u32 fd)
{
  u64 task = (u64)bpf_get_current_task_btf(), files, table, array, file, inode, number;
  u32 most;
  LOAD("u64", files, task, OFFSET_TASK_FILES);
  if (!files)
    return 0;
  LOAD("u64", table, files, OFFSET_FILES_FDT);
  LOAD("u32", most, table, OFFSET_FDT_MAX_FDS);
  if (fd >= most)
    return 0;
  LOAD("u64", array, table, OFFSET_FDT_FD);
#if HAVE_CAST
  /* A place in the array is as good as the member that points to its first. */
  table = cast(array + 8 * (u64)fd - OFFSET_FDT_FD, TYPE_FDTABLE);
  LOAD("u64", file, table, OFFSET_FDT_FD);
  file = cast(file, TYPE_FILE);
  LOAD("u64", inode, file, OFFSET_FILE_INODE);
  LOAD("u64", number, inode, OFFSET_INODE_INO);
#else
  file = read_u64(array + 8 * (u64)fd);
  inode = read_u64(file + OFFSET_FILE_INODE);
  number = read_u64(inode + OFFSET_INODE_INO);
#endif
  return number;
}

static __always_inline void read_addresses(u64 sock, struct object *o)
{
  o->family = read_u16(sock + OFFSET_SOCK_FAMILY);
  if (o->family != AF_INET && o->family != AF_INET6)
    return;
  o->local_port = read_u16(sock + OFFSET_SOCK_NUM);
  o->peer_port = swap16(read_u16(sock + OFFSET_SOCK_DPORT));
  if (o->family == AF_INET) {
    read_kernel_memory(o->local, 4, (void *)(sock + OFFSET_SOCK_RCV_SADDR));
    read_kernel_memory(o->peer, 4, (void *)(sock + OFFSET_SOCK_DADDR));
  }
#if HAVE_IPV6
  else {
    read_kernel_memory(o->local, 16, (void *)(sock + OFFSET_SOCK_V6_RCV_SADDR));
    read_kernel_memory(o->peer, 16, (void *)(sock + OFFSET_SOCK_V6_DADDR));
  }
#endif
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

/* Anonymous inodes are told apart by the name of their file: "[eventfd]", "[eventpoll]", ... */
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

/* Fill o for current's descriptor; kind is KIND_NONE where there is none. */
static __always_inline void resolve(u32 fd, struct object *o)
{
  u64 file = file_of(fd), inode;
  u32 type, major;
  o->kind = KIND_NONE;
  if (!file)
    return;
  inode = read_u64(file + OFFSET_FILE_INODE);
  o->inode = read_u64(inode + OFFSET_INODE_INO);
  o->open_flags = read_u32(file + OFFSET_FILE_FLAGS);
  type = read_u16(inode + OFFSET_INODE_MODE) & S_IFMT;
  if (type == S_IFSOCK) {
    u64 socket = inode - OFFSET_SOCKET_ALLOC_INODE + OFFSET_SOCKET_ALLOC_SOCKET;
    o->sock = read_u64(socket + OFFSET_SOCKET_SK);
    read_addresses(o->sock, o);
    o->kind = socket_kind(o->family, read_u16(socket + OFFSET_SOCKET_TYPE));
  } else if (type == S_IFREG) {
    o->kind = KIND_FILE;
  } else if (type == S_IFIFO) {
    o->kind = KIND_PIPE;
  } else if (type == S_IFDIR) {
    o->kind = KIND_DIR;
  } else if (type == S_IFBLK) {
    o->kind = KIND_BLOCK;
  } else if (type == S_IFCHR) {
    major = read_u32(inode + OFFSET_INODE_RDEV) >> 20;
    o->kind = major == TTY_MAJOR || major == TTYAUX_MAJOR ||
                      (major >= PTY_MAJOR_FIRST && major <= PTY_MAJOR_LAST)
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

/* The number will be something else from now on. */
static __always_inline void forget_descriptor(u32 pid, u32 fd)
{
  u32 key = generation_slot(pid, fd);
  u32 *generation = generations.lookup(&key);
  if (generation)
    __sync_fetch_and_add(generation, 1);
}

/* Each number of the thread's process may be something else from now on. */
static __always_inline void forget_descriptors(struct thread *t)
{
  t->programs++;
  t->last_descriptor = 0;
}

/* close_range(2). Closing more than MAX_RANGE numbers at once is for programs that have just
 * begun, most of which are not even open. */
static __always_inline void forget_range(struct thread *t, u32 first, u32 last)
{
  forget_descriptors(t);
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < MAX_RANGE; i++) {
    if (first + i > last)
      break;
    forget_descriptor(t->pid, first + i);
  }
}

#define READINESS_PENDING (1ULL << 63)

static __always_inline u64 pending_socket(u32 local_port, u32 peer_port)
{
  return READINESS_PENDING | (local_port << 16) | peer_port;
}

/* Is there an entry of this socket in readiness? A few of those that say so have none. */
static __always_inline u8 *watched_place(u64 sock)
{
  u64 hash = sock * 0x9e3779b97f4a7c15ULL;
  u32 place = hash >> (64 - WATCHED_BITS);
  struct marks *m = watched.lookup(&place);
  return m ? &m->marks[(hash >> 32) & (WATCHED_MARKS - 1)] : NULL;
}

static __always_inline int maybe_watched(u64 sock)
{
  u8 *place = watched_place(sock);
  return place && *place;
}

static __always_inline void mark_watched(u64 sock)
{
  u8 *place = watched_place(sock);
  if (place && !*place)
    *place = 1;
}

/* From now on sk_data_ready stamps this socket. What arrived before it was accepted is dated if
 * we knew that its port was listened on; other data that lies there already is not. */
static __always_inline void watch_socket(struct object *o)
{
  struct readiness fresh = {.inode = o->inode}, *known;
  u64 sock = o->sock;
  if (!sock)
    return;
  mark_watched(sock);
  known = readiness.lookup(&sock);
  if (known && known->inode == pending_socket(o->local_port, o->peer_port))
    known->inode = o->inode;
  else if (!known || known->inode != o->inode)
    readiness.update(&sock, &fresh);
}
