// What the compiler calls at every plain access when it instruments for ThreadSanitizer. The models' program is compiled so, but
// linked with these functions instead of the sanitizer's library: each access of a model thread becomes one that the checker
// looks at. So plain shared fields need no mark in the source.
//
// Atomic operations of the Swift runtime and of the C library's users come here, too: they are performed, and no more; the seam's own
// are the checker's. The accesses that Swift announces by type and structure (`external`) repeat what is announced by address.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CStillpointModel.h"

#define HERE __builtin_return_address(0)

extern _Thread_local int sp_model_current_mode;

static inline __attribute__((always_inline)) void access_here(
    const void *address, size_t byteCount, int isWrite, const void *instruction) {
  // No branch hint: what is unlikely goes into a function of its own, and the address is of that function's caller then.
  if (sp_model_current_mode == SP_MODEL_THREAD) sp_model_access(address, byteCount, isWrite, instruction);
}

#define ACCESSES(size)                                                                                \
  void __tsan_read##size(void *address) { access_here(address, size, 0, HERE); }                  \
  void __tsan_write##size(void *address) { access_here(address, size, 1, HERE); }                 \
  void __tsan_unaligned_read##size(void *address) { access_here(address, size, 0, HERE); }        \
  void __tsan_unaligned_write##size(void *address) { access_here(address, size, 1, HERE); }       \
  void __tsan_read_write##size(void *address) { access_here(address, size, 1, HERE); }            \
  void __tsan_unaligned_read_write##size(void *address) { access_here(address, size, 1, HERE); }  \
  void __tsan_volatile_read##size(void *address) { access_here(address, size, 0, HERE); }         \
  void __tsan_volatile_write##size(void *address) { access_here(address, size, 1, HERE); }

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void *__tsan_memcpy(void *to, const void *from, size_t byteCount) {
  access_here(from, byteCount, 0, HERE);
  access_here(to, byteCount, 1, HERE);
  return memcpy(to, from, byteCount);
}

void *__tsan_memmove(void *to, const void *from, size_t byteCount) {
  access_here(from, byteCount, 0, HERE);
  access_here(to, byteCount, 1, HERE);
  return memmove(to, from, byteCount);
}

void *__tsan_memset(void *to, int byte, size_t byteCount) {
  access_here(to, byteCount, 1, HERE);
  return memset(to, byte, byteCount);
}

void __tsan_init(void) {}
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void) {}
// Around what ends an instance of a class, where nobody else can see it.
void __tsan_ignore_thread_begin(void) { sp_model_ignored += 1; }
void __tsan_ignore_thread_end(void) { sp_model_ignored -= 1; }
void __tsan_read_range(void *address, size_t byteCount) { access_here(address, byteCount, 0, HERE); }
void __tsan_write_range(void *address, size_t byteCount) { access_here(address, byteCount, 1, HERE); }
void __tsan_vptr_update(void **place, void *value) { (void)place, (void)value; }
void __tsan_vptr_read(void **place) { (void)place; }
void __tsan_external_read(void *address, void *caller, void *tag) { (void)address, (void)caller, (void)tag; }
void __tsan_external_write(void *address, void *caller, void *tag) { (void)address, (void)caller, (void)tag; }
void *__tsan_external_register_tag(const char *name) { return (void)name, NULL; }
void __tsan_external_register_header(void *tag, const char *header) { (void)tag, (void)header; }
void __tsan_external_assign_tag(void *address, void *tag) { (void)address, (void)tag; }

// Sequentially consistent, whatever was asked for.
#define ORDER __ATOMIC_SEQ_CST
#define UPDATE(bits, name)                                                                            \
  uint##bits##_t __tsan_atomic##bits##_fetch_##name(volatile uint##bits##_t *place, uint##bits##_t value, int order) { \
    (void)order;                                                                                      \
    return __atomic_fetch_##name(place, value, ORDER);                                                \
  }
#define ATOMICS(bits)                                                                                 \
  uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *place, int order) {        \
    (void)order;                                                                                      \
    return __atomic_load_n(place, ORDER);                                                             \
  }                                                                                                   \
  void __tsan_atomic##bits##_store(volatile uint##bits##_t *place, uint##bits##_t value, int order) { \
    (void)order;                                                                                      \
    __atomic_store_n(place, value, ORDER);                                                            \
  }                                                                                                   \
  uint##bits##_t __tsan_atomic##bits##_exchange(volatile uint##bits##_t *place, uint##bits##_t value, int order) { \
    (void)order;                                                                                      \
    return __atomic_exchange_n(place, value, ORDER);                                                  \
  }                                                                                                   \
  UPDATE(bits, add) UPDATE(bits, sub) UPDATE(bits, and) UPDATE(bits, or) UPDATE(bits, xor) UPDATE(bits, nand) \
  int __tsan_atomic##bits##_compare_exchange_strong(                                                  \
      volatile uint##bits##_t *place, uint##bits##_t *expected, uint##bits##_t desired, int order, int otherwise) { \
    (void)order, (void)otherwise;                                                                     \
    return __atomic_compare_exchange_n(place, expected, desired, 0, ORDER, ORDER);                    \
  }                                                                                                   \
  int __tsan_atomic##bits##_compare_exchange_weak(                                                    \
      volatile uint##bits##_t *place, uint##bits##_t *expected, uint##bits##_t desired, int order, int otherwise) { \
    (void)order, (void)otherwise;                                                                     \
    return __atomic_compare_exchange_n(place, expected, desired, 0, ORDER, ORDER);                    \
  }                                                                                                   \
  uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                          \
      volatile uint##bits##_t *place, uint##bits##_t expected, uint##bits##_t desired, int order, int otherwise) { \
    (void)order, (void)otherwise;                                                                     \
    __atomic_compare_exchange_n(place, &expected, desired, 0, ORDER, ORDER);                          \
    return expected;                                                                                  \
  }

ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

void __tsan_atomic_thread_fence(int order) { (void)order, __atomic_thread_fence(ORDER); }
void __tsan_atomic_signal_fence(int order) { (void)order, __atomic_signal_fence(ORDER); }
