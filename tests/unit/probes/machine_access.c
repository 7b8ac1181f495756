/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Behind the sources of the probes: what the machine may see of their maps. */
struct thread *machine_thread(u32 slot)
{
  return threads.lookup(&slot);
}

struct call *machine_call(u32 index)
{
  return calls.lookup(&index);
}

u64 machine_counter(u32 counter)
{
  return *counters.lookup(&counter);
}

void machine_specify(u32 number, struct call_spec *spec)
{
  call_specs.update(&number, spec);
}

void machine_track(u64 task, u32 tid, u32 slot)
{
  begin_thread(task, tid, 7, 0, STATE_RUNQ, bpf_ktime_get_ns());
  threads.lookup(&slot)->resume_state = STATE_USER;
}
