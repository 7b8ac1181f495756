/* A free-threaded CPython that runs nothing: the structures of the version whose headers this is
 * compiled with (-DPy_GIL_DISABLED=1), and threads that sleep as its threads would.
 *
 * Two threads nap, each in a copy of its own of the same code's instructions. Others wait as
 * Python/parking_lot.c does: on a word of their own stack, behind the address that they wait for.
 * It keeps to gate.py: SIGUSR1 begins, a pause is the end. argv: naps, whether the GIL is on.
 */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "internal/pycore_runtime.h"
#include "internal/pycore_code.h"
#include "internal/pycore_debug_offsets.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_tstate.h"

#define NAP_NS 20000000L
#define FIRST_LINE 40
#define UNITS 8
#define THREADS 5

_PyRuntimeState _PyRuntime = {.debug_offsets = _Py_DebugOffsets_INIT(_Py_Debug_Cookie)};
const unsigned long Py_Version = PY_VERSION_HEX;
PyTypeObject PyType_Type, PyCode_Type, PyUnicode_Type;
static PyTypeObject dict_type, lock_type;
static struct _gil_runtime_state gil;
static PyInterpreterState *interpreter;
static PyCodeObject *inner, *outer;
static int naps, begun;
static int gate[2], done[2], never[2];

static void become(void *object, PyTypeObject *type)
{
  ((PyObject *)object)->ob_type = type;
}

static void name_type(PyTypeObject *type, const char *name)
{
  type->tp_name = name;
  become(type, &PyType_Type);
}

static PyObject *text(const char *characters)
{
  size_t length = strlen(characters);
  PyASCIIObject *made = calloc(1, sizeof(*made) + length + 1);
  become(made, &PyUnicode_Type);
  made->length = length;
  made->state.interned = SSTATE_INTERNED_IMMORTAL;
  made->state.kind = PyUnicode_1BYTE_KIND;
  made->state.compact = made->state.ascii = 1;
  memcpy(made + 1, characters, length);
  return (PyObject *)made;
}

/* A function with one instruction in each of its lines. */
static PyCodeObject *code(const char *name)
{
  PyCodeObject *made = calloc(1, sizeof(*made) + 2 * UNITS);
  PyBytesObject *table = calloc(1, sizeof(*table) + 3 * UNITS);
  table->ob_base.ob_size = 3 * UNITS;
  for (int i = 0; i < UNITS; i++)
    memcpy(table->ob_sval + 3 * i, (char[]){(char)(0x80 | 11 << 3), 1, 2}, 3);
  become(made, &PyCode_Type);
  made->co_filename = text("/srv/free.py");
  made->co_name = made->co_qualname = text(name);
  made->co_linetable = (PyObject *)table;
  made->co_firstlineno = FIRST_LINE;
  _PyCodeArray *copies = calloc(1, sizeof(*copies) + 3 * sizeof(char *));
  copies->size = 3;
  copies->entries[0] = (char *)made->co_code_adaptive;
  for (int i = 1; i < 3; i++)
    copies->entries[i] = calloc(1, 2 * UNITS);
  made->co_tlbc = copies;
  return made;
}

static _PyInterpreterFrame *frame(PyCodeObject *of, int copy, int unit, int owner,
                                  _PyInterpreterFrame *previous)
{
  _PyInterpreterFrame *made = calloc(1, sizeof(*made) + 64);
  made->tlbc_index = copy;
  made->f_executable.bits = (uintptr_t)of | 1;
  made->instr_ptr = (_Py_CODEUNIT *)(of->co_tlbc->entries[copy] + 2 * unit);
  made->owner = owner;
  made->previous = previous;
  return made;
}

/* The state of the calling thread: outer() has called inner() in its third line. */
static PyThreadState *begin_thread(int copy)
{
  static pthread_mutex_t all = PTHREAD_MUTEX_INITIALIZER;
  _PyThreadStateImpl *made = calloc(1, sizeof(*made));
  PyThreadState *state = &made->base;
  _PyInterpreterFrame *base = NULL;
#if PY_VERSION_HEX >= 0x030f0000
  base = state->base_frame = &made->base_frame;
  base->owner = FRAME_OWNED_BY_INTERPRETER;
#endif
  base = frame(outer, 0, 0, FRAME_OWNED_BY_INTERPRETER, base);
  state->interp = interpreter;
  state->thread_id = (unsigned long)pthread_self();
  state->native_thread_id = syscall(SYS_gettid);
  state->current_frame = frame(inner, copy, 3, 0, frame(outer, 3 - copy, 2, 0, base));
  pthread_mutex_lock(&all);
  state->next = interpreter->threads.head;
  interpreter->threads.head = state;
  begun++;
  pthread_mutex_unlock(&all);
  return state;
}

static void wait_for_gate(void)
{
  char nothing;
  read(gate[0], &nothing, 1);
}

static void tell_done(void)
{
  write(done[1], "x", 1);
}

static void *napping(void *copy)
{
  struct timespec time = {0, NAP_NS};
  begin_thread((int)(long)copy);
  wait_for_gate();
  for (int i = 0; i < naps; i++)
    nanosleep(&time, NULL);
  tell_done();
  read(never[0], &time, 1);
  return NULL;
}

/* As _PyParkingLot_Park: for a while, so many times, then for good. NULL: the thread's state. */
static void *parked(void *address)
{
  PyThreadState *state = begin_thread(1);
  struct {
    uintptr_t address;
    unsigned int word, value;
  } entry = {(uintptr_t)(address ? address : &state->state)};
  struct timespec time = {0, NAP_NS};
  wait_for_gate();
  for (int i = 0; i < naps; i++)
    syscall(SYS_futex, &entry.word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0);
  tell_done();
  syscall(SYS_futex, &entry.word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
  return NULL;
}

static void nothing(int number)
{
}

int main(int count, char **arguments)
{
  PyObject *dict = calloc(1, 64), *lock = calloc(1, 64);
  pthread_t threads[THREADS];
  sigset_t begin;
  char answer;
  int number;
  naps = atoi(arguments[1]);
  name_type(&PyType_Type, "type");
  name_type(&PyCode_Type, "code");
  name_type(&PyUnicode_Type, "str");
  name_type(&dict_type, "dict");
  name_type(&lock_type, "_thread.lock");
  become(dict, &dict_type);
  become(lock, &lock_type);
  interpreter = calloc(1, sizeof(*interpreter));
  interpreter->ceval.gil = &gil;
  gil.enabled = atoi(arguments[2]);
  _PyRuntime.interpreters.head = interpreter;
  inner = code("Free.inner");
  outer = code("outer");

  sigemptyset(&begin);
  sigaddset(&begin, SIGUSR1);
  sigprocmask(SIG_BLOCK, &begin, NULL);
  signal(SIGUSR2, nothing);
  pipe(gate);
  pipe(done);
  pipe(never);
  pthread_create(&threads[0], NULL, napping, (void *)1L);
  pthread_create(&threads[1], NULL, napping, (void *)2L);
  pthread_create(&threads[2], NULL, parked, NULL);
  pthread_create(&threads[3], NULL, parked, (char *)dict + offsetof(PyObject, ob_mutex));
  pthread_create(&threads[4], NULL, parked, (char *)lock + sizeof(PyObject));
  while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) < THREADS)
    usleep(1000);
  printf("{\"pid\": %d}\n", getpid());
  fflush(stdout);
  sigwait(&begin, &number);
  close(gate[1]);
  for (int i = 0; i < THREADS; i++)
    read(done[0], &answer, 1);
  pause();
  puts("{}");
  fflush(stdout);
  _exit(0);
}
