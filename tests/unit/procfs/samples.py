"""Files of /proc as real kernels write them."""

SYSCALL = b"45 0x7 0x7f78a2e2d000 0x20000 0x0 0x0 0x0 0x7ffef88bc0a8 0x7f78a2fa92ad\n"
SCHEDSTAT = b"63885 41523 2\n"
STAT = (
    b"3845 (a) R (b\n c) S 3841 3841 2566 0 -1 4194304 101 0 3 0 5 7 0 0 20 0 13 0 77089 "
    b"3133440 388 18446744073709551615 93974003261440 93974003281321 140731146007968 0 0 0 0 0 0 "
    b"0 0 0 17 0 0 0 0 0 0 93974003297328 93974003298944 93974194880512 140731146009119 "
    b"140731146009139 140731146009139 140731146010603 0\n"
)
KERNEL_THREAD_STAT = (
    b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 24 0 0 18446744073709551615 0 0 "
    b"0 0 0 0 0 2147483647 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
)
STATUS = (
    b"Name:\tgunicorn: maste\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t3846\nNgid:\t0\n"
    b"Pid:\t3847\nPPid:\t3841\nTracerPid:\t0\nUid:\t1000\t1001\t1002\t1003\nGid:\t0\t0\t0\t0\n"
    b"FDSize:\t256\nGroups:\t \nNStgid:\t3846\t6\nNSpid:\t3847\t7\nNSpgid:\t3841\t1\n"
    b"NSsid:\t2566\t0\nKthread:\t0\nVmPeak:\t    3060 kB\nVmSwap:\t     517 kB\n"
    b"Threads:\t11\nSigQ:\t0/96365\n"
    b"Cpus_allowed_list:\t0-1\nvoluntary_ctxt_switches:\t101\nnonvoluntary_ctxt_switches:\t13\n"
)
FDINFO = b"pos:\t4096\nflags:\t02004002\nmnt_id:\t17\nino:\t1039\n"
EPOLL = (
    b"pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t1039\n"
    b"tfd:        4 events: 10000019 data:     7fa600000004  pos:0 ino:1c94 sdev:9\n"
    b"tfd:        3 events: 80000019 data:                3  pos:0 ino:1c93 sdev:9\n"
    b"tfd:       11 events: 40000000 data: ffffffffffffffff\n"
)
MEMINFO = (
    b"MemTotal:       24684092 kB\nMemAvailable:   24231428 kB\n"
    b"HugePages_Total:       0\nOdd: 7 MB\n"
)
MAPS = (
    b"00400000-0041f000 r--p 00000000 fe:00 1835 "
    b"                          /usr/bin/python3.11\n"
    b"0041f000-006c1000 r-xp 0001f000 fe:00 1835 "
    b"                          /usr/bin/python3.11\n"
    b"01df7000-01e7b000 rw-p 00000000 00:00 0                                  [heap]\n"
    b"7f78a2e2d000-7f78a2e4f000 rw-p 00000000 00:00 0 \n"
    b"7f78a2e4f000-7f78a2e51000 r--p 00002000 fe:00 97    /tmp/a b\\012c (deleted)\n"
)
TCP = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    b"inode                                                     \n"
    b"   0: 00000000:1F40 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 "
    b"1526 1 000000004b1eaf12 100 0 0 10 0                      \n"
    b"   1: 0100007F:1F40 0100007F:EC42 01 00000011:00000025 00:00000000 00000000     0        0 "
    b"1528 1 00000000958cfbf3 20 4 30 10 -1                     \n"
    b"   2: 020200C0:EC42 507100CB:01BB 06 00000000:00000000 03:00001225 00000000     0        0 "
    b"0 3 00000000958cfbf3                                      \n"
)
TCP6 = (
    b"  sl  local_address                         remote_address                        st "
    b"tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    b"   0: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A "
    b"00000000:00000000 00:00000000 00000000     0        0 2001 1 0000000012345678 100 0 0 10 0\n"
    b"   1: 0000000000000000FFFF00000100007F:1F42 0000000000000000FFFF00000100007F:9C41 08 "
    b"00000000:00000000 00:00000000 00000000     0        0 2003 1 0000000012345678 100 0 0 10 0\n"
)
UDP = (
    b"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    b"inode ref pointer drops             \n"
    b" 2117: 0100007F:0035 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 "
    b"3001 2 000000004b1eaf12 17        \n"
)
UNIX = (
    b"Num       RefCount Protocol Flags    Type St Inode Path\n"
    b"000000002a20a6fd: 00000003 00000000 00000000 0001 03 69046\n"
    b"00000000b9cf2b17: 00000003 00000000 00000000 0001 02     0 @abs@tr@\n"
    b"000000008d83dde6: 00000002 00000000 00010000 0001 01 69044 /tmp/a b5605\n"
    b"000000005d2eec9e: 00000002 00000000 00000000 0002 01   685 @598e5\n"
)
