// What Swift cannot say: thread-local variables, futex, liburcu's inline calls, sanitizer annotations.
// No algorithm lives here; what each group is for stands at its head.
#ifndef CSTILLPOINT_H
#define CSTILLPOINT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SP_THREAD_SANITIZER 1
#endif
#if __has_feature(address_sanitizer)
#define SP_ADDRESS_SANITIZER 1
#endif
#endif

// liburcu 0.13 orders by mfence on x86-64, which costs about 20 ns. A locked addition to the stack is as full a
// barrier for ordinary memory, and costs 5: it makes attach and detach twice as fast. Its inlines take ours.
#if defined(__x86_64__)
#define cmm_smp_mb() __asm__ __volatile__("lock; addl $0,-128(%%rsp)" ::: "memory", "cc")
#endif
#ifdef SP_THREAD_SANITIZER
#undef _LGPL_SOURCE  // the entry points of the library: its inlines would be reported as races
#else
#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE 1
#endif
#endif
#define URCU_NO_COMPAT_IDENTIFIERS 1
#include <urcu/urcu-qsbr.h>
#include <urcu/static/urcu-qsbr.h>

#define SP_INLINE static inline __attribute__((always_inline))
// Initial-exec: one load through the thread register, in an executable and in a shared library alike.
#define SP_THREAD_LOCAL extern _Thread_local __attribute__((tls_model("initial-exec")))

#pragma clang assume_nonnull begin

// Sanitizers -------------------------------------------------------------------------------------------------

#ifdef SP_THREAD_SANITIZER
extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);
#define SP_RELEASE(address) __tsan_release(address)
#define SP_ACQUIRE(address) __tsan_acquire(address)
#else
#define SP_RELEASE(address) ((void)0)
#define SP_ACQUIRE(address) ((void)0)
#endif

/// Whether this build is instrumented by ThreadSanitizer: tests and stress programs scale with it.
SP_INLINE int sp_has_thread_sanitizer(void) {
#ifdef SP_THREAD_SANITIZER
  return 1;
#else
  return 0;
#endif
}

/// Whether this build is instrumented by AddressSanitizer.
SP_INLINE int sp_has_address_sanitizer(void) {
#ifdef SP_ADDRESS_SANITIZER
  return 1;
#else
  return 0;
#endif
}

#ifdef SP_ADDRESS_SANITIZER
extern void __asan_poison_memory_region(void const volatile *address, size_t size);
extern void __asan_unpoison_memory_region(void const volatile *address, size_t size);
#endif

/// Tells AddressSanitizer that nobody may touch these bytes; nothing in other builds.
SP_INLINE void sp_poison(void *address, size_t byteCount) {
#ifdef SP_ADDRESS_SANITIZER
  __asan_poison_memory_region(address, byteCount);
#else
  (void)address, (void)byteCount;
#endif
}

/// Takes `sp_poison` back.
SP_INLINE void sp_unpoison(void *address, size_t byteCount) {
#ifdef SP_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(address, byteCount);
#else
  (void)address, (void)byteCount;
#endif
}

// The current thread -----------------------------------------------------------------------------------------

SP_THREAD_LOCAL void *_Nullable sp_current_thread_record;

/// The record of the thread state attached on this OS thread; null while none is.
SP_INLINE void *_Nullable sp_current_thread(void) { return sp_current_thread_record; }
SP_INLINE void sp_set_current_thread(void *_Nullable record) { sp_current_thread_record = record; }

/// Where that is kept for the calling OS thread: for a model checker, which runs many threads on one.
SP_INLINE void *sp_current_thread_location(void) { return &sp_current_thread_record; }

SP_THREAD_LOCAL uintptr_t sp_reader_number_storage;

/// What `sp_reader_number` is on a thread that is no registered reader.
#define SP_NOT_A_READER (UINTPTR_MAX - 1)

/// A number that no other reader of this process has or had: given by `sp_rcu_register`, taken back when the thread exits.
SP_INLINE uintptr_t sp_reader_number(void) { return sp_reader_number_storage; }

/// Whether the calling OS thread is a registered reader.
SP_INLINE int sp_is_reader(void) { return sp_reader_number_storage != SP_NOT_A_READER; }

/// A number that no other live OS thread of this process has: the thread register.
SP_INLINE uintptr_t sp_os_thread_identity(void) { return (uintptr_t)__builtin_thread_pointer(); }

SP_THREAD_LOCAL void *_Nullable sp_failure_plan_storage;

/// Which calls of this thread fail because a test says so; null but in those tests. See FailurePoint.swift.
SP_INLINE void *_Nullable sp_failure_plan(void) { return sp_failure_plan_storage; }
SP_INLINE void sp_set_failure_plan(void *_Nullable plan) { sp_failure_plan_storage = plan; }

/// Tells the processor that this is a spin loop.
SP_INLINE void sp_spin_hint(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

// Memory that is there from the start -------------------------------------------------------------------------

#define SP_PARKING_BUCKET_BITS 9
#define SP_PARKING_LINE_BYTE_COUNT 64

/// `1 << SP_PARKING_BUCKET_BITS` cache lines of zeros for the parking lot: Swift has no variable of that size and alignment.
void *sp_parking_lines(void);

// System calls without a Glibc binding -----------------------------------------------------------------------

/// Sleeps while `*word == expected`, until woken or until the monotonic clock reaches `deadline` (null: for ever).
/// Returns 0, or the error number: EAGAIN (value differs), ETIMEDOUT, EINTR.
int sp_futex_wait(const void *word, uint32_t expected, const struct timespec *_Nullable deadline);

/// Wakes at most `count` sleepers of `word`; returns how many. The memory at `word` is not read.
int sp_futex_wake(const void *word, int count);

/// A name of at most 15 bytes for the calling thread, as debuggers show it.
void sp_set_thread_name(const char *name);

/// Binds the calling thread to one processor; 0, or the error number.
int sp_set_affinity(int processor);

/// Binds a thread that is yet to be started to one processor; 0, or the error number.
int sp_set_start_affinity(pthread_attr_t *attributes, int processor);

/// How many processors the calling thread may run on.
int sp_usable_processor_count(void);

/// Whether the calling thread may run on this processor.
int sp_may_use_processor(int processor);

/// The environment: `NAME=value` strings up to a null pointer; null if there is none.
char *_Nullable *_Nullable sp_environment(void);

/// fork(2) by way of the C library, so that its own fork handlers run. 0 in the child, the child's process id in
/// the parent, or -1 with `errno` set. The child has the calling thread alone.
int sp_fork(void);

// liburcu, quiescent-state flavour ---------------------------------------------------------------------------
//
// A reader is an OS thread. It is registered once, at its first `sp_rcu_register`, and unregistered when it
// exits. Online it delays grace periods until its next quiescent state; offline it delays none.
//
// ThreadSanitizer does not see liburcu's inline assembly, nor into the shared library. Two clocks tell it what
// a grace period orders, and no more than that:
//   sp_rcu_from_writer   before a grace period begins  ->  after a reader's quiescent state that it waited for
//   sp_rcu_from_reader   before a reader's quiescent state  ->  after the grace period ends

extern char sp_rcu_from_writer, sp_rcu_from_reader;

/// Makes the calling OS thread a reader, offline. Nothing if it is one already. 0, or the error number: ENOMEM,
/// EAGAIN (the process has as many thread-specific keys as there can be); nothing was changed then.
int sp_rcu_register(void);

/// From offline to online: from here on no grace period ends before a quiescent state of this thread.
SP_INLINE void sp_rcu_online(void) {
#ifdef SP_THREAD_SANITIZER
  urcu_qsbr_thread_online();
  SP_ACQUIRE(&sp_rcu_from_writer);
#else
  _urcu_qsbr_thread_online();
#endif
}

/// From online to offline: this thread holds nothing that a grace period protects.
SP_INLINE void sp_rcu_offline(void) {
#ifdef SP_THREAD_SANITIZER
  SP_RELEASE(&sp_rcu_from_reader);
  urcu_qsbr_thread_offline();
#else
  _urcu_qsbr_thread_offline();
#endif
}

/// Announces a quiescent state of an online thread.
SP_INLINE void sp_rcu_quiescent_state(void) {
#ifdef SP_THREAD_SANITIZER
  // liburcu orders nothing when the counter has not moved, so nothing is annotated then.
  if (*(volatile unsigned long *)&urcu_qsbr_gp.ctr == urcu_qsbr_reader.ctr) return;
  SP_RELEASE(&sp_rcu_from_reader);
  urcu_qsbr_quiescent_state();
  SP_ACQUIRE(&sp_rcu_from_writer);
#else
  _urcu_qsbr_quiescent_state();
#endif
}

/// Whether the calling thread is registered and online.
SP_INLINE int sp_rcu_is_online(void) { return URCU_TLS(urcu_qsbr_reader).ctr != 0; }

/// Waits until every thread that is online now has passed a quiescent state or gone offline.
/// The caller is offline. One grace period runs at a time.
void sp_rcu_synchronize(void);

/// Around fork(2). `before` waits for the grace period under way, if any; the child forgets the reader records
/// of the threads that it does not have.
void sp_rcu_before_fork(void);
void sp_rcu_after_fork_parent(void);
void sp_rcu_after_fork_child(void);

/// How many OS threads are registered.
size_t sp_rcu_reader_count(void);

#pragma clang assume_nonnull end
#endif
