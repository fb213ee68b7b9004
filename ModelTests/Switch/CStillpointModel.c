#define _GNU_SOURCE 1
#include "CStillpointModel.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

// Not static: the instrumentation looks at it before it calls (most accesses are the checker's own).
_Thread_local int sp_model_current_mode;
#define mode sp_model_current_mode
static _Thread_local void *execution;

int sp_model_enter(void) {
  int before = mode;
  if (before == SP_MODEL_THREAD) mode = SP_MODEL_CHECKER;
  return before;
}

int sp_model_mode(void) { return mode; }
void sp_model_set_mode(int wanted) { mode = wanted; }
void *sp_model_execution(void) { return execution; }
void sp_model_set_execution(void *wanted) { execution = wanted; }

// Memory -------------------------------------------------------------------------------------------------------

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

void *sp_model_map(size_t byteCount, uintptr_t wanted) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *address = mmap((void *)wanted, byteCount, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (address != MAP_FAILED && address != (void *)wanted) {  // an old kernel took it as a hint
    munmap(address, byteCount);
    address = MAP_FAILED;
  }
  if (address == MAP_FAILED) address = mmap(NULL, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0);
  return address == MAP_FAILED ? NULL : address;
}

void sp_model_unmap(void *address, size_t byteCount) { munmap(address, byteCount); }
void sp_model_guard(void *address) { mprotect(address, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE); }
void sp_model_clear(void *address, size_t byteCount) { memset(address, 0, byteCount); }

#define BY_WIDTH(expression1, expression2, expression4, expression8) \
  switch (byteCount) {                                               \
    case 1: expression1; break;                                      \
    case 2: expression2; break;                                      \
    case 4: expression4; break;                                      \
    case 8: expression8; break;                                      \
    default: abort();                                                \
  }

uint64_t sp_plain_load(const void *address, size_t byteCount) {
  uint64_t value = 0;
#define LOAD(T) value = __atomic_load_n((const T *)address, __ATOMIC_SEQ_CST)
  BY_WIDTH(LOAD(uint8_t), LOAD(uint16_t), LOAD(uint32_t), LOAD(uint64_t))
  return value;
}

void sp_plain_store(void *address, size_t byteCount, uint64_t value) {
#define STORE(T) __atomic_store_n((T *)address, (T)value, __ATOMIC_SEQ_CST)
  BY_WIDTH(STORE(uint8_t), STORE(uint16_t), STORE(uint32_t), STORE(uint64_t))
}

int sp_plain_compare_exchange(void *address, size_t byteCount, uint64_t *expected, uint64_t desired) {
  int exchanged = 0;
#define EXCHANGE(T)                                                                                         \
  {                                                                                                         \
    T old = (T)*expected;                                                                                   \
    exchanged = __atomic_compare_exchange_n((T *)address, &old, (T)desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
    *expected = old;                                                                                        \
  }
  BY_WIDTH(EXCHANGE(uint8_t), EXCHANGE(uint16_t), EXCHANGE(uint32_t), EXCHANGE(uint64_t))
  return exchanged;
}

void sp_plain_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// Plain accesses -----------------------------------------------------------------------------------------------

static sp_model_access_hook access_hook;
static sp_model_memory_hook memory_hook;

void sp_model_set_hooks(sp_model_access_hook access, sp_model_memory_hook memory) {
  __atomic_store_n(&access_hook, access, __ATOMIC_RELEASE);
  __atomic_store_n(&memory_hook, memory, __ATOMIC_RELEASE);
}

void sp_model_access(const void *address, size_t byteCount, int isWrite, const void *instruction) {
  if (mode != SP_MODEL_THREAD) return;
  mode = SP_MODEL_CHECKER;
  access_hook((uintptr_t)address, byteCount, isWrite, (uintptr_t)instruction);
  mode = SP_MODEL_THREAD;
}

static void tell_memory(const void *address, size_t byteCount, int isFreed) {
  if (mode != SP_MODEL_THREAD) return;
  mode = SP_MODEL_CHECKER;
  memory_hook((uintptr_t)address, byteCount, isFreed);
  mode = SP_MODEL_THREAD;
}

void sp_model_allocated(const void *address, size_t byteCount) { tell_memory(address, byteCount, 0); }
void sp_model_freed(const void *address, size_t byteCount) { tell_memory(address, byteCount, 1); }

// Symbols and time ---------------------------------------------------------------------------------------------

const char *sp_model_symbol(uintptr_t instruction, ptrdiff_t *offset) {
  Dl_info info;
  if (dladdr((void *)instruction, &info) == 0 || info.dli_sname == NULL) return NULL;
  *offset = (char *)instruction - (char *)info.dli_saddr;
  return info.dli_sname;
}

extern char *swift_demangle(const char *name, size_t length, char *output, size_t *outputLength, uint32_t flags);

char *sp_model_demangle(const char *symbol) { return swift_demangle(symbol, strlen(symbol), NULL, NULL, 0); }
void sp_model_free(void *memory) { free(memory); }

uint64_t sp_model_wall_nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

size_t sp_model_block_size(const void *block) { return malloc_usable_size((void *)block); }
