#define _GNU_SOURCE 1
#include "CStillpointModel.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))
// Not static: the instrumentation looks at it before it calls (most accesses are the checker's own).
_Thread_local __attribute__((tls_model("initial-exec"))) int sp_model_current_mode;
#define mode sp_model_current_mode
THREAD_LOCAL void *execution;

_Thread_local __attribute__((tls_model("initial-exec"))) int sp_model_ignored;

// An allocation may be made under a lock of Swift's runtime that the checker needs itself, so it waits for the next
// time that the thread comes here by its own code. More than fit are forgotten: fresh memory may then seem to have a
// past.
enum { WAITING_ALLOCATIONS = 1024 };
static _Thread_local struct {
  const void *address;
  size_t byteCount;
} waiting[WAITING_ALLOCATIONS];
THREAD_LOCAL int waiting_count;

static void tell_allocations(void);

int sp_model_enter(void) {
  int before = mode;
  if (before == SP_MODEL_THREAD) {
    mode = SP_MODEL_CHECKER;
    if (waiting_count != 0) tell_allocations();
  }
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

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
extern void __lsan_register_root_region(const void *start, size_t byteCount);
extern void __lsan_unregister_root_region(const void *start, size_t byteCount);
#define REGISTER(start, byteCount) __lsan_register_root_region(start, byteCount)
#define UNREGISTER(start, byteCount) __lsan_unregister_root_region(start, byteCount)
#endif
#endif
#ifndef REGISTER
#define REGISTER(start, byteCount) ((void)0)
#define UNREGISTER(start, byteCount) ((void)0)
#endif

void *sp_model_map(size_t byteCount, uintptr_t wanted) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *address = mmap((void *)wanted, byteCount, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (address != MAP_FAILED && address != (void *)wanted) {  // an old kernel took it as a hint
    munmap(address, byteCount);
    address = MAP_FAILED;
  }
  if (address == MAP_FAILED) address = mmap(NULL, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (address == MAP_FAILED) return NULL;
  REGISTER(address, byteCount);
  return address;
}

void sp_model_unmap(void *address, size_t byteCount) {
  UNREGISTER(address, byteCount);
  munmap(address, byteCount);
}
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

THREAD_LOCAL sp_model_access_hook access_hook;
THREAD_LOCAL sp_model_memory_hook memory_hook;

void sp_model_set_hooks(sp_model_access_hook access, sp_model_memory_hook memory) {
  access_hook = access;
  memory_hook = memory;
}

void sp_model_access(const void *address, size_t byteCount, int isWrite, const void *instruction) {
  if (mode != SP_MODEL_THREAD || sp_model_ignored != 0) return;
  mode = SP_MODEL_CHECKER;
  if (waiting_count != 0) tell_allocations();
  access_hook((uintptr_t)address, byteCount, isWrite, (uintptr_t)instruction);
  mode = SP_MODEL_THREAD;
}

static void tell_allocations(void) {
  int count = waiting_count;
  waiting_count = 0;
  for (int index = 0; index < count; index += 1)
    memory_hook((uintptr_t)waiting[index].address, waiting[index].byteCount, 0);
}

void sp_model_allocated(const void *address, size_t byteCount) {
  if (mode != SP_MODEL_THREAD || waiting_count == WAITING_ALLOCATIONS) return;
  waiting[waiting_count].address = address;
  waiting[waiting_count].byteCount = byteCount;
  waiting_count += 1;
}

void sp_model_freed(const void *address, size_t byteCount) {
  if (sp_model_enter() != SP_MODEL_THREAD) return;
  memory_hook((uintptr_t)address, byteCount, 1);
  mode = SP_MODEL_THREAD;
}

// Symbols and time ---------------------------------------------------------------------------------------------

extern char *swift_demangle(const char *name, size_t length, char *output, size_t *outputLength, uint32_t flags);

void sp_model_describe(uintptr_t instruction, char *text, size_t capacity) {
  Dl_info info;
  // What is known is the place that the call returns to: it may be the beginning of the next function.
  uintptr_t address = instruction - 1;
  if (dladdr((void *)address, &info) == 0) {
    snprintf(text, capacity, "0x%zx", (size_t)instruction);
    return;
  }
  size_t offset = address - (uintptr_t)info.dli_fbase;
  snprintf(text, capacity, "%s+0x%zx", info.dli_fname, offset);
  char command[1200], function[400], place[400];
  int length = snprintf(command, sizeof command, "llvm-symbolizer --basenames --obj='%s' 0x%zx 2>/dev/null",
                        info.dli_fname, offset);
  if (length < 0 || (size_t)length >= sizeof command || strchr(info.dli_fname, '\'') != NULL) return;
  FILE *output = popen(command, "r");
  if (output == NULL) return;
  if (fgets(function, sizeof function, output) != NULL && fgets(place, sizeof place, output) != NULL &&
      function[0] != '?') {
    function[strcspn(function, "\n")] = 0;
    place[strcspn(place, "\n")] = 0;
    char *demangled = swift_demangle(function, strlen(function), NULL, NULL, 0);
    snprintf(text, capacity, "%s %s", place, demangled != NULL ? demangled : function);
    free(demangled);
  }
  pclose(output);
}

static uint64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t sp_model_wall_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }
uint64_t sp_model_processor_nanoseconds(void) { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

size_t sp_model_block_size(const void *block) { return malloc_usable_size((void *)block); }
