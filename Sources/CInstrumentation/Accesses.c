// Each plain load and store of instrumented code comes here before it is made, and goes on to the checker if a model
// thread runs: `sp_model_access` returns at once otherwise. Atomic operations that the code makes by itself (there are none
// in a build whose atomics are the model's, but for those of the standard library) are made, and not reported.
#include <string.h>

#include "CInstrumentation.h"
#include "CStillpointModel.h"

#define CALLER __builtin_return_address(0)

#define ACCESSES(n)                                                                            \
  void __tsan_read##n(void *address) { sp_model_access(address, n, 0, CALLER); }               \
  void __tsan_write##n(void *address) { sp_model_access(address, n, 1, CALLER); }              \
  void __tsan_unaligned_read##n(void *address) { sp_model_access(address, n, 0, CALLER); }     \
  void __tsan_unaligned_write##n(void *address) { sp_model_access(address, n, 1, CALLER); }    \
  void __tsan_volatile_read##n(void *address) { sp_model_access(address, n, 0, CALLER); }      \
  void __tsan_volatile_write##n(void *address) { sp_model_access(address, n, 1, CALLER); }     \
  void __tsan_read_write##n(void *address) { sp_model_access(address, n, 1, CALLER); }         \
  void __tsan_unaligned_read_write##n(void *address) { sp_model_access(address, n, 1, CALLER); }
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void *__tsan_memcpy(void *to, const void *from, size_t count) {
  sp_model_access(from, count, 0, CALLER);
  sp_model_access(to, count, 1, CALLER);
  return memcpy(to, from, count);
}

void *__tsan_memmove(void *to, const void *from, size_t count) {
  sp_model_access(from, count, 0, CALLER);
  sp_model_access(to, count, 1, CALLER);
  return memmove(to, from, count);
}

void *__tsan_memset(void *to, int value, size_t count) {
  sp_model_access(to, count, 1, CALLER);
  return memset(to, value, count);
}

void __tsan_init(void) {}
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void) {}
void __tsan_ignore_thread_begin(void) { sp_model_ignored += 1; }
void __tsan_ignore_thread_end(void) { sp_model_ignored -= 1; }
void __tsan_vptr_read(void **address) { (void)address; }
void __tsan_vptr_update(void **address, void *value) { (void)address, (void)value; }

// Swift's own notion of an access to a whole variable: the plain accesses within it are reported above.
void __tsan_external_read(void *address, void *caller, void *tag) { (void)address, (void)caller, (void)tag; }
void __tsan_external_write(void *address, void *caller, void *tag) { (void)address, (void)caller, (void)tag; }
void *__tsan_external_register_tag(const char *name) { return (void)name, NULL; }
void __tsan_external_register_header(void *tag, const char *header) { (void)tag, (void)header; }
void __tsan_external_assign_tag(void *address, void *tag) { (void)address, (void)tag; }

#define UPDATE(n, T, name, builtin) \
  T __tsan_atomic##n##_##name(volatile T *address, T value, int order) { \
    (void)order;                                                         \
    return builtin(address, value, __ATOMIC_SEQ_CST);                    \
  }

#define ATOMICS(n, T)                                                                                              \
  T __tsan_atomic##n##_load(const volatile T *address, int order) {                                                \
    (void)order;                                                                                                   \
    return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                             \
  }                                                                                                                \
  void __tsan_atomic##n##_store(volatile T *address, T value, int order) {                                         \
    (void)order;                                                                                                   \
    __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                            \
  }                                                                                                                \
  UPDATE(n, T, exchange, __atomic_exchange_n)                                                                      \
  UPDATE(n, T, fetch_add, __atomic_fetch_add)                                                                      \
  UPDATE(n, T, fetch_sub, __atomic_fetch_sub)                                                                      \
  UPDATE(n, T, fetch_and, __atomic_fetch_and)                                                                      \
  UPDATE(n, T, fetch_or, __atomic_fetch_or)                                                                        \
  UPDATE(n, T, fetch_xor, __atomic_fetch_xor)                                                                      \
  UPDATE(n, T, fetch_nand, __atomic_fetch_nand)                                                                    \
  T __tsan_atomic##n##_compare_exchange_val(volatile T *address, T expected, T desired, int order, int failure) {  \
    (void)order, (void)failure;                                                                                    \
    __atomic_compare_exchange_n(address, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);               \
    return expected;                                                                                               \
  }                                                                                                                \
  int __tsan_atomic##n##_compare_exchange_strong(volatile T *address, T *expected, T desired, int order,           \
                                                 int failure) {                                                    \
    (void)order, (void)failure;                                                                                    \
    return __atomic_compare_exchange_n(address, expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);         \
  }                                                                                                                \
  int __tsan_atomic##n##_compare_exchange_weak(volatile T *address, T *expected, T desired, int order,             \
                                               int failure) {                                                      \
    return __tsan_atomic##n##_compare_exchange_strong(address, expected, desired, order, failure);                 \
  }
ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)

void __tsan_atomic_thread_fence(int order) {
  (void)order;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int order) { (void)order; }
