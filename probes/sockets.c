/* Sockets without probes on system calls (sockets detail): a read or write of one has ended.
 *
 * The thread's record of a call in progress is left alone: it may hold a sleep that is not added up
 * yet (asleep.c).
 */
#if DETAIL_SOCKETS
/* The number of the inode of a socket that lives. */
static __always_inline u64 inode_of_sock(u64 sock)
{
#if HAVE_CAST
  u64 socket, number;
  LOAD("u64", socket, sock, OFFSET_SOCK_SOCKET);
  socket = cast(socket - OFFSET_SOCKET_ALLOC_SOCKET, TYPE_SOCKET_ALLOC);
  LOAD("u64", number, socket, OFFSET_SOCKET_ALLOC_INODE + OFFSET_INODE_INO);
  return number;
#else
  u64 socket = read_u64(sock + OFFSET_SOCK_SOCKET);
  return read_u64(socket - OFFSET_SOCKET_ALLOC_SOCKET + OFFSET_SOCKET_ALLOC_INODE +
                  OFFSET_INODE_INO);
#endif
}

static __always_inline struct descriptor *descriptor_of_sock(struct thread *t, u32 slot, u32 fd,
                                                             u64 sock)
{
  u32 found = 0;
  struct descriptor *d = descriptor_at(t, slot, fd, &found);
  if (d && d->sock == sock && d->inode == inode_of_sock(sock))
    return d;
  return resolve_descriptor(t, slot, fd, 0, &found);
}

static __always_inline void add_to_socket(struct thread *t, struct descriptor *d, u16 flags,
                                          s64 ret, u64 bytes)
{
  BEGIN_UPDATE(d);
  d->calls++;
  d->copy_ns += t->call_copy_ns;
  d->eagain += ret == -EAGAIN;
  if (!bytes) {
    if (!ret && flags & CALL_IN)
      settle(d);
  } else if (flags & CALL_OUT) {
    d->bytes_out += bytes;
  } else {
    d->bytes_in += bytes;
    pick_up(t, d, bytes, t->call_first_copy_ns ? 0 : bpf_ktime_get_ns());
  }
  if (bytes)
    address_descriptor(d);
  END_UPDATE(d);
}

static __always_inline void add_socket_call(struct thread *t, u32 slot, s64 ret, u64 bytes,
                                            u32 filled)
{
  u32 record = NO_RECORD;
  struct call *c = call_of(t, slot, &record);
  if (c) {
    BEGIN_UPDATE(c);
    c->calls++;
    c->bytes += bytes;
    c->copy_ns += t->call_copy_ns;
    add_to_phase(t, c->copy, t->call_copy_ns);
    c->filled += filled;
    if (ret == -EAGAIN)
      c->eagain++;
    else
      c->errors += ret < 0;
    END_UPDATE(c);
  }
  if (ret < 0 && ret != -EAGAIN)
    count_error(t, slot, -ret);
}

/* raw sock_recv_length, sock_send_length(sk, ret, flags); current is the caller. A vector of
 * messages comes here once for each of them. */
static __always_inline int socket_call(struct bpf_raw_tracepoint_args *ctx)
{
  u32 slot, number, call_nr;
  u8 call_kind;
  struct thread *t = thread_of(current_tid(), &slot);
  struct call_spec *spec;
  struct descriptor *d;
  struct arguments args;
  u64 regs, bytes = 0;
  s64 ret = (s32)ctx->args[1];
  if (!t || t->io_worker)
    return 0;
  regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
  LOAD("u32", number, regs, OFFSET_CALL_NUMBER);
  spec = call_specs.lookup(&number);
  if (!spec || !(spec->flags & (CALL_IN | CALL_OUT)) || spec->fd_arg != ARGUMENT_0)
    return 0;
  find_arguments(&args, regs);
  if (ret > 0)
    bytes = ret;
  BEGIN_UPDATE(t);
  if (t->state == STATE_COPY) {
    charge_running(t, STATE_COPY, bpf_ktime_get_ns());
    t->state = STATE_USER;
  }
  t->call_peeks = !!(ctx->args[2] & MSG_PEEK);
  t->call_size = spec->size_arg == ARGUMENT_2 ? args.words[ARGUMENT_2] : 0;
  d = descriptor_of_sock(t, slot, args.words[ARGUMENT_0], ctx->args[0]);
  if (d && d->sock != ctx->args[0])
    d = NULL; /* splice: the socket is not its first argument */
  call_nr = t->call_nr;
  call_kind = t->call_kind;
  t->call_nr = number;
  t->call_kind = d ? d->kind : KIND_SOCKET;
  if (d) {
    add_to_socket(t, d, spec->flags, ret, bytes);
    add_socket_call(t, slot, ret, bytes, spec->flags & CALL_IN && bytes && bytes == t->call_size);
  }
  t->call_nr = call_nr;
  t->call_kind = call_kind;
  t->call_copy_ns = t->call_first_copy_ns = 0;
  END_UPDATE(t);
  return 0;
}

PROGRAM(on_sock_recv_length)
{
  return socket_call(ctx);
}

PROGRAM(on_sock_send_length)
{
  return socket_call(ctx);
}
#endif
